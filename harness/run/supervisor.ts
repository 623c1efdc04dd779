/**
 * The supervisor: starts the workers, listens to them, notices when one hangs, ends them with itself.
 */
import { execaNode } from "execa";
import { fileURLToPath } from "node:url";
import { EnvironmentError } from "../failure.ts";
import { sweepLeftovers } from "../kernel/leftovers.ts";
import { endBySignal, whenSignalled } from "../kernel/undo.ts";
import type { Assignment, FoundDivergence, Message } from "./messages.ts";
import type { RunCounts } from "./variant-run.ts";

const workerFile = fileURLToPath(new URL("./worker-main.js", import.meta.url));

/** Milliseconds that a killed worker has to go away before it counts as stuck in the kernel. */
const KILL_MS = 5_000;

/** Milliseconds in which a signal that ended a worker has reached this process too. */
const SIGNAL_MS = 50;

/** What one job came to on one variant. */
export interface JobResult {
  variant: string;
  counts: RunCounts;
  seconds: number;
}

export interface SupervisorResult {
  results: JobResult[];
  found: FoundDivergence[];
}

/** A worker did not say anything for too long: the kernel hangs a system call, or the machine is overloaded. */
export class WorkerHung extends Error {
  override readonly name = "WorkerHung";
  readonly variant: string;
  readonly chunk: number;
  /** It could not be killed either. */
  readonly stuck: boolean;
  constructor(variant: string, chunk: number, stuck: boolean) {
    super(`nothing happened for too long in chunk ${chunk} of ${variant}`);
    this.variant = variant;
    this.chunk = chunk;
    this.stuck = stuck;
  }
}

export interface SupervisorOptions {
  assignments: readonly Assignment[];
  /** Seconds of silence after which a worker counts as hung. */
  hangSeconds: number;
  onProgress: (job: number, variant: string, counts: RunCounts) => void;
}

/** Throws what a worker could not deal with. */
function rethrow(message: Message): void {
  if (message.type === "environment") {
    throw new EnvironmentError(message.reason, message.message, message.remedy);
  }
  if (message.type === "broken") throw new Error(message.stack);
}

/**
 * Not detached: the worker gets the terminal's Ctrl-C too, and its own listeners clean up. It has none of our streams:
 * one that is stuck in the kernel would keep them open, and with them a reader of our output waiting.
 */
function startWorker() {
  const worker = execaNode(workerFile, [], {
    ipc: true,
    reject: false,
    buffer: false,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
    forceKillAfterDelay: KILL_MS,
  });
  worker.stderr.pipe(process.stderr, { end: false });
  return worker;
}

class Job {
  readonly #assignment: Assignment;
  readonly #options: SupervisorOptions;
  readonly #result: SupervisorResult;
  readonly #worker = startWorker();
  #heard = Date.now();
  #where = { variant: "", chunk: 0 };

  constructor(assignment: Assignment, options: SupervisorOptions, result: SupervisorResult) {
    this.#assignment = assignment;
    this.#options = options;
    this.#result = result;
  }

  async run(): Promise<void> {
    const messages = this.#worker.getEachMessage();
    await this.#worker.sendMessage({ ...this.#assignment });
    let hung: (() => void) | undefined;
    const hangs = new Promise<never>((_resolve, reject) => {
      hung = (): void => reject(this.#hung(false));
    });
    const watch = setInterval(() => {
      if (Date.now() - this.#heard > this.#options.hangSeconds * 1000) hung?.();
    }, 500);
    try {
      await Promise.race([this.#listen(messages), hangs]);
    } catch (error) {
      if (error instanceof WorkerHung) throw await this.#kill();
      throw error;
    } finally {
      clearInterval(watch);
    }
  }

  /** Ask the worker to end; it cleans up after itself. */
  stop(): void {
    this.#worker.kill("SIGTERM");
  }

  async settled(): Promise<void> {
    await this.#worker;
  }

  async #listen(messages: AsyncIterable<unknown>): Promise<void> {
    let finished = 0;
    for await (const raw of messages) {
      this.#heard = Date.now();
      const message = raw as Message;
      rethrow(message);
      this.#take(message);
      if (message.type === "finished") finished += 1;
    }
    const { exitCode, signal } = await this.#worker;
    if (exitCode !== 0) throw new Error(`a worker ended with ${signal ?? `status ${exitCode}`}`);
    const { length } = this.#assignment.variants;
    if (finished < length) throw new Error(`a worker told of ${finished} of ${length} variants`);
  }

  #take(message: Message): void {
    const { job } = this.#assignment;
    if (message.type === "chunk") this.#where = message;
    if (message.type === "progress") this.#options.onProgress(job, message.variant, message.counts);
    if (message.type === "found") this.#result.found.push(message.found);
    if (message.type === "finished") {
      const { variant, counts, seconds } = message;
      this.#options.onProgress(job, variant, counts);
      this.#result.results.push({ variant, counts, seconds });
    }
  }

  #hung(stuck: boolean): WorkerHung {
    return new WorkerHung(this.#where.variant, this.#where.chunk, stuck);
  }

  /** A process inside a system call that hangs does not even obey SIGKILL. */
  async #kill(): Promise<WorkerHung> {
    this.#worker.kill("SIGKILL");
    const gone = this.#worker.then(() => true);
    const waited = new Promise<boolean>((resolve) => setTimeout(resolve, KILL_MS, false));
    const stuck = !(await Promise.race([gone, waited]));
    if (!stuck) sweepLeftovers();
    return this.#hung(stuck);
  }
}

/**
 * Run the assignments, one process each, to their ends, and add to `result` as they go: what was found before something
 * went wrong is not lost with it. Throws EnvironmentError where the machine cannot, WorkerHung where nothing moves any
 * more, Error where a worker broke; the other workers are ended first.
 */
export async function supervise(
  options: SupervisorOptions,
  result: SupervisorResult,
): Promise<void> {
  const jobs = options.assignments.map((assignment) => new Job(assignment, options, result));
  let ended: Promise<never> | undefined;
  const interrupt = (signal: NodeJS.Signals): void => {
    for (const job of jobs) job.stop();
    const settled = Promise.allSettled(jobs.map((job) => job.settled()));
    ended = settled.then(() => {
      // One that was in the middle of shrinking does not listen, and was killed.
      sweepLeftovers();
      endBySignal(signal);
      return new Promise<never>(() => {});
    });
  };
  whenSignalled(interrupt);
  try {
    await Promise.all(jobs.map((job) => job.run()));
  } catch (error) {
    // Ctrl-C reaches the workers too: their end may be known here before the signal is.
    await new Promise((resolve) => setTimeout(resolve, SIGNAL_MS));
    if (ended !== undefined) await ended;
    for (const job of jobs) job.stop();
    if (!(error instanceof WorkerHung && error.stuck)) {
      await Promise.allSettled(jobs.map((job) => job.settled()));
      sweepLeftovers();
    }
    throw error;
  } finally {
    whenSignalled(undefined);
  }
}
