/**
 * Recording: the cases of a run, performed on a fresh image, and what was seen of each, without
 * anybody who says what it had to be.
 */
import * as fc from "fast-check";
import { PAGE_SIZE } from "../../model/include/types.ts";
import { EnvironmentError } from "../case/failure.ts";
import { storedObservation } from "../case/stored-observation.ts";
import type { Operation } from "../operations/operation.ts";
import { Session } from "../session/session.ts";
import type { Executor } from "../subjects/executor.ts";
import { quietMillisecondsHere } from "../subjects/flusher.ts";
import { breathe, sleepSync } from "../system/sleep.ts";
import { syscalls } from "../system/syscalls.ts";
import type { Channel } from "../workers/channel.ts";
import type { RecordedStep, Recording } from "../workers/messages.ts";
import { CASES_PER_CHUNK, caseSource, chunkSeed } from "./chunk.ts";

/**
 * Milliseconds between two operations: who holds a folio for a moment has let go of it by then
 * (lockstep.ts REPEATS).
 */
const PAUSE_MS = 0.2;

/** Times that a case is performed until one is over before the flusher begins. */
const TRIES = 3;

/** The cases of a run with the same seed, a chunk at a time. */
export function* chunksOf({ cases, ...from }: Omit<Recording, "traits">): Generator<Operation[][]> {
  const { arbitrary, seed } = caseSource(from.variant, from);
  for (let chunk = 0; chunk * CASES_PER_CHUNK < cases; chunk++) {
    const numRuns = Math.min(CASES_PER_CHUNK, cases - chunk * CASES_PER_CHUNK);
    yield fc.sample(arbitrary, { numRuns, seed: chunkSeed(seed, chunk) });
  }
}

interface RecordedCase {
  freeBlocks: number | undefined;
  steps: RecordedStep[];
}

function performOnce(subject: Executor, operations: readonly Operation[]): RecordedCase {
  subject.begin(operations);
  const { freeBlocks } = subject;
  const last = operations.length - 1;
  const steps = operations.map((operation, index) => {
    sleepSync(PAUSE_MS);
    return { operation, seen: storedObservation(subject.step(operation, index, index === last)) };
  });
  subject.end();
  return { freeBlocks, steps };
}

/**
 * @throws EnvironmentError where the case takes so long that the kernel may write back of itself,
 *   which nobody could follow later
 */
function performCase(subject: Executor, operations: readonly Operation[]): RecordedCase {
  for (let tried = 0; tried < TRIES; tried++) {
    const began = performance.now();
    const recorded = performOnce(subject, operations);
    if (performance.now() - began < quietMillisecondsHere()) return recorded;
  }
  throw new EnvironmentError(
    "process-failed",
    `a case of ${operations.length} operations took so long that the kernel may have begun writeback`,
    "Record shorter cases (--max-length), or when the machine has time for it.",
  );
}

/** Throws EnvironmentError on a kernel that the model could not be held against. */
function mustHavePagesOf4K(): void {
  const bytes = syscalls().getpagesize();
  if (bytes === PAGE_SIZE) return;
  throw new EnvironmentError(
    "unsupported-platform",
    `pages have ${bytes} bytes here, and the model knows ${PAGE_SIZE} only`,
    "Run a kernel with pages of 4 KiB.",
  );
}

/**
 * Make a recording, and tell of it case by case.
 *
 * @throws EnvironmentError where this machine cannot
 */
export async function record(recording: Recording, channel: Channel): Promise<void> {
  mustHavePagesOf4K();
  const { variant: wanted, traits } = recording;
  // Nothing is expected of what is only written down.
  const session = await Session.open(wanted, { traits, strict: true, executor: "ffi" });
  const { executor, image, mounted, config } = session;
  executor.wholeLooks = false;
  try {
    const { variant, leeway } = image;
    channel.send({ type: "image", image: { variant, mounted, config, leeway } });
    for (const chunk of chunksOf(recording)) {
      for (const drawn of chunk) {
        channel.send({ type: "recorded", ...performCase(executor, session.supported(drawn)) });
        await breathe();
      }
      if (!image.runsOutOfFiles) continue;
      executor.release();
      image.remount();
    }
    channel.send({ type: "done" });
  } finally {
    session.close();
  }
}
