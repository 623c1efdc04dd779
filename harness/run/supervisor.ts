/**
 * The supervisor: starts the workers, listens to them, notices when one hangs or goes down with its kernel, ends them with
 * itself.
 */
import { Conversation, WorkerLost } from "./conversation.ts";
import { EnvironmentError } from "../failure.ts";
import type { ObjectCounters } from "../kernel/gcov.ts";
import type { Statistics } from "../lockstep/statistics.ts";
import { sweepLeftovers } from "../kernel/leftovers.ts";
import { endBySignal, whenSignalled } from "../kernel/undo.ts";
import type { KernelTraits } from "../kernel-traits.ts";
import type { KernelUnderTest } from "./link.ts";
import { Attempts, investigate } from "./lost.ts";
import { isOfExploration } from "./messages.ts";
import type {
  Assignment,
  ExplorationMessage,
  FoundDivergence,
  Message,
  Mounted,
} from "./messages.ts";
import { unpackShapes } from "./shape.ts";
import type { CaseShape } from "./shape.ts";
import { NOTHING_RUN } from "./run-counts.ts";
import type { Explored } from "../explore/explored.ts";
import type { RunCounts } from "./run-counts.ts";
import { variantNamed } from "../variants.ts";

/** Milliseconds in which a signal that ended a worker has reached this process too. */
const SIGNAL_MS = 50;

/** What one job came to on one variant. */
export interface JobResult {
  variant: string;
  counts: RunCounts;
  seconds: number;
  mounted: Mounted;
  /** Where they were asked for, and the variant was run to its end. */
  shapes?: CaseShape[];
  explored?: Explored;
  statistics?: Statistics;
}

export interface SupervisorResult {
  results: JobResult[];
  found: FoundDivergence[];
  /** What ran of the kernel, for each guest that lived to the end of its share; where that was asked for. */
  kernels: ObjectCounters[][];
  /** Guests that did not. */
  guestsLost: number;
  /** When the first case failed, Date.now(); undefined where none did. */
  divergedAt?: number;
}

/** Of a run that has not begun. */
export const nothingRun = (): SupervisorResult => ({
  results: [],
  found: [],
  kernels: [],
  guestsLost: 0,
});

export interface SupervisorOptions {
  kernel: KernelUnderTest;
  jobs: number;
  /** Ask what ran of the kernel. */
  coverage: boolean;
  /** Seconds of silence after which a worker counts as hung. */
  hangSeconds: number;
  /** What is to be done, once the first worker has found out what the kernel does. */
  assign: (traits: KernelTraits, commandLine: string) => Assignment[];
  onProgress: (job: number, variant: string, counts: RunCounts) => void;
  onExploration?: (job: number, message: ExplorationMessage) => void;
}

const UNKNOWN: Mounted = { path: undefined, options: "" };

/** How a variant was mounted in a run. */
export function mountedAs({ results }: SupervisorResult, variant: string): Mounted {
  return results.find((result) => result.variant === variant)?.mounted ?? UNKNOWN;
}

class Job {
  readonly #options: SupervisorOptions;
  readonly #result: SupervisorResult;
  readonly #attempts: Attempts;
  #conversation: Conversation;
  #counts = NOTHING_RUN;
  #mounted = UNKNOWN;
  #variantStarted = 0;

  constructor(options: SupervisorOptions, result: SupervisorResult) {
    this.#options = options;
    this.#result = result;
    this.#conversation = this.#start();
    this.#attempts = new Attempts(options.kernel, options.hangSeconds);
  }

  #start(): Conversation {
    return new Conversation(this.#options.kernel, this.#options.hangSeconds);
  }

  probe(): Promise<{ traits: KernelTraits; commandLine: string }> {
    return this.#conversation.ask({ type: "probe" }, "traits");
  }

  /** What ran of the kernel so far. */
  async count(): Promise<ObjectCounters[]> {
    const all: ObjectCounters[] = [];
    await this.#conversation.ask({ type: "count" }, "counted", (message) => {
      if (message.type !== "counters") return;
      const { object, counters } = message;
      all.push({ object, counters });
    });
    return all;
  }

  /** Carry out the assignment; where a guest goes down, find out why and go on with the next variant in another. */
  async run(assignment: Assignment): Promise<void> {
    for (let left = assignment.variants; ;) {
      try {
        const asked = { ...assignment, variants: left };
        await this.#conversation.ask({ type: "run", assignment: asked }, "done", (message) =>
          this.#take(asked.job, message),
        );
        if (this.#options.coverage) this.#result.kernels.push(await this.count());
        await this.#conversation.finish();
        return;
      } catch (error) {
        if (!(error instanceof WorkerLost) || !this.#options.kernel.guest) throw error;
        const variant = variantNamed(error.where.variant || left[0]!);
        await this.#lost(error, variant.name, asked(assignment, left));
        left = assignment.first ? [] : left.slice(left.indexOf(variant.name) + 1);
      }
      if (left.length === 0) return;
      this.#conversation = this.#start();
    }
  }

  async #lost(error: WorkerLost, name: string, assignment: Assignment): Promise<void> {
    this.#result.divergedAt ??= Date.now();
    this.#result.guestsLost += 1;
    const found = await investigate(error, variantNamed(name), assignment, this.#attempts);
    await this.#attempts.finish();
    this.#result.found.push(found);
    const seconds = (Date.now() - this.#variantStarted) / 1000;
    const { counts, mounted } = { counts: this.#counts, mounted: this.#mounted };
    this.#result.results.push({ variant: name, counts, seconds, mounted });
  }

  #take(job: number, message: Message): void {
    if (message.type === "mounted") {
      const { path, options } = message;
      this.#mounted = { path, options };
      this.#counts = NOTHING_RUN;
      this.#variantStarted = Date.now();
    }
    if (message.type === "progress") {
      this.#counts = message.counts;
      this.#options.onProgress(job, message.variant, message.counts);
    }
    if (message.type === "diverged") this.#result.divergedAt ??= Date.now();
    if (message.type === "found") this.#result.found.push(message.found);
    if (message.type === "finished") {
      const { variant, counts, seconds } = message;
      const shapes = message.shapes === undefined ? {} : { shapes: unpackShapes(message.shapes) };
      this.#options.onProgress(job, variant, counts);
      const met = message.statistics === undefined ? {} : { statistics: message.statistics };
      const explored = message.explored === undefined ? {} : { explored: message.explored };
      const mounted = this.#mounted;
      this.#result.results.push({
        variant,
        counts,
        seconds,
        mounted,
        ...shapes,
        ...met,
        ...explored,
      });
    }
    if (isOfExploration(message)) this.#options.onExploration?.(job, message);
  }

  /** Ask the worker to end; it cleans up after itself. */
  stop(): void {
    this.#conversation.stop();
    this.#attempts.stop();
  }

  async settled(): Promise<void> {
    await this.#conversation.settled();
  }
}

function asked(assignment: Assignment, variants: string[]): Assignment {
  return { ...assignment, variants };
}

const countsNothing = (): EnvironmentError =>
  new EnvironmentError(
    "no-coverage",
    "this kernel does not count what runs of fs/ext4 and fs/iomap",
    "Build it with kernel build --coverage.",
  );

async function runJobs(jobs: readonly Job[], options: SupervisorOptions): Promise<void> {
  const { traits, commandLine } = await jobs[0]!.probe();
  // Before the run rather than after it.
  if (options.coverage && (await jobs[0]!.count()).length === 0) throw countsNothing();
  const assignments = options.assign(traits, commandLine);
  await Promise.all(jobs.map((job, index) => job.run(assignments[index]!)));
}

/**
 * Probe the kernel, then run the assignments, one worker each, to their ends, and add to `result` as they go: what was found
 * before something went wrong is not lost with it. Throws EnvironmentError where the machine cannot, WorkerLost where this
 * machine's own kernel does not go on, Error where a worker broke; the other workers are ended first.
 */
export async function supervise(
  options: SupervisorOptions,
  result: SupervisorResult,
): Promise<void> {
  const jobs = Array.from({ length: options.jobs }, () => new Job(options, result));
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
    await runJobs(jobs, options);
  } catch (error) {
    // Ctrl-C reaches the workers too: their end may be known here before the signal is.
    await new Promise((resolve) => setTimeout(resolve, SIGNAL_MS));
    if (ended !== undefined) await ended;
    for (const job of jobs) job.stop();
    if (!(error instanceof WorkerLost && error.stuck)) {
      await Promise.allSettled(jobs.map((job) => job.settled()));
      sweepLeftovers();
    }
    // A process that ends by itself is our business; a kernel that does takes its worker with it.
    if (error instanceof WorkerLost && error.how === "ended" && !error.end.kernelDied) {
      throw new Error(error.message, { cause: error });
    }
    throw error;
  } finally {
    whenSignalled(undefined);
  }
}
