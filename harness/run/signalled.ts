/**
 * Workers that end with what they were asked for, or on a signal to this process.
 */
import { Interrupted } from "../case/failure.ts";
import { sweepLeftovers } from "../subjects/leftovers.ts";
import { endBySignal, whenSignalled } from "../system/undo.ts";
import { WorkerLost } from "./conversation.ts";

/** Milliseconds in which a signal that ended a worker has reached this process too. */
const SIGNAL_MS = 50;

interface Stoppable {
  /** Ask it to end; it cleans up after itself. */
  stop(): void;
  settled(): Promise<void>;
}

/**
 * Wait for workers that were told to end; one that was in the middle of shrinking does not listen,
 * and was killed.
 */
export async function cleanUpAfter(workers: readonly Stoppable[]): Promise<void> {
  await Promise.allSettled(workers.map((worker) => worker.settled()));
  sweepLeftovers();
}

/**
 * Let `use` work with these. Throws what it threw, once they have ended, or Interrupted where a
 * signal ended them.
 */
export async function endingOnSignal(
  workers: readonly Stoppable[],
  use: () => Promise<void>,
): Promise<void> {
  let signalled: NodeJS.Signals | undefined;
  const stop = (): void => {
    for (const worker of workers) worker.stop();
  };
  whenSignalled((signal) => {
    // The second one is meant: it does not wait for anybody.
    if (signalled !== undefined) endBySignal(signal);
    signalled = signal;
    stop();
  });
  try {
    await use();
    if (signalled !== undefined) throw new Interrupted(signalled);
  } catch (error) {
    // Ctrl-C reaches the workers too: their end may be known here before the signal is.
    await new Promise((resolve) => setTimeout(resolve, SIGNAL_MS));
    stop();
    if (!(error instanceof WorkerLost && error.stuck)) await cleanUpAfter(workers);
    throw signalled === undefined ? error : new Interrupted(signalled);
  } finally {
    whenSignalled(undefined);
  }
}
