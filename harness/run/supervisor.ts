/**
 * The supervisor: starts the workers, listens to them, notices when one hangs or goes down with its
 * kernel, ends them with itself.
 */
import { Conversation, WorkerLost } from "./conversation.ts";
import { EnvironmentError } from "../case/failure.ts";
import type { Variant } from "../case/variant.ts";
import type { ObjectCounters } from "../subjects/gcov.ts";
import type { KernelTraits } from "../under-test/kernel-traits.ts";
import type { KernelUnderTest } from "../workers/link.ts";
import { Attempts, investigate } from "./crash-triage.ts";
import type { Assignment, Finished, Message, NewFinding } from "../workers/messages.ts";
import { addFound, countMet, withAcceptance } from "./found.ts";
import { cleanUpAfter, endingOnSignal } from "./signalled.ts";
import { unpackShapes } from "./shape.ts";
import type { CaseShape } from "./shape.ts";
import { NOTHING_RUN } from "../stored/result.ts";
import type { FoundDivergence, Mounted } from "../stored/result.ts";
import { variantNamed } from "../under-test/variants.ts";

/** What one job came to on one variant. */
export interface JobResult extends Finished {
  variant: string;
  mounted: Mounted;
  /** Where they were asked for, and the variant was run to its end. */
  shapes?: CaseShape[];
  /** A guest went down there, and the rest was not run. */
  lost?: boolean;
}

export interface SupervisorResult {
  results: JobResult[];
  found: FoundDivergence[];
  /**
   * What ran of the kernel, for each guest that lived to the end of its share; where that was asked
   * for.
   */
  kernels: ObjectCounters[][];
  /** Guests that did not. */
  guestsLost: number;
  /**
   * What each job has come to on the variant that it is at, or was at when the run ended before its
   * time.
   */
  underWay: Map<number, JobResult>;
  /** Names of variants that no job has begun. */
  notRun: string[];
  /** When the first case failed, performance.now(); undefined where none did. */
  divergedAt?: number;
}

/** Of a run that has not begun. */
export const nothingRun = (): SupervisorResult => ({
  results: [],
  found: [],
  kernels: [],
  guestsLost: 0,
  underWay: new Map(),
  notRun: [],
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
  /** Hears what the job of that number is told by its worker. */
  hear: (job: number, message: Message) => void;
  /** Files of findings that are accepted, by what identifies those. */
  accepted: ReadonlyMap<string, string>;
  /** Called with each finding, when it is the first of its identity in its variant. */
  onFound: (found: FoundDivergence) => void;
  /** Called when the result is another one. */
  onResult: () => void;
  /** When the time is up, performance.now(); undefined where it never is. */
  deadline?: number | undefined;
}

const UNKNOWN: Mounted = { path: undefined, options: "" };

/** How a variant was mounted in a run. */
export function mountedAs({ results, underWay }: SupervisorResult, variant: string): Mounted {
  const all = [...results, ...underWay.values()];
  return all.find((result) => result.variant === variant)?.mounted ?? UNKNOWN;
}

class Job {
  readonly #options: SupervisorOptions;
  readonly #result: SupervisorResult;
  readonly #attempts: Attempts;
  #conversation: Conversation;
  /** What it has come to on the variant that it is at, which was begun at `#variantStarted`. */
  #soFar: JobResult = { variant: "", counts: NOTHING_RUN, seconds: 0, mounted: UNKNOWN };
  #variantStarted = 0;
  readonly #number: number;
  /** A divergence was found, and is being shrunk or confirmed. */
  #shrinks = false;
  /** It was told to end; because its time is up. */
  #stopped = false;
  #timeUp = false;
  /** The time is up, and it is about something that was found. */
  #isLate = false;

  constructor(options: SupervisorOptions, result: SupervisorResult, number: number) {
    this.#options = options;
    this.#number = number;
    this.#result = result;
    this.#conversation = new Conversation(options.kernel, options.hangSeconds);
    this.#attempts = new Attempts(options.kernel, options.hangSeconds);
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

  /**
   * Carry out the assignment; where a guest goes down, find out why and go on with the next variant
   * in another.
   */
  async run(assignment: Assignment): Promise<void> {
    const { kernel, hangSeconds, coverage, deadline = Infinity } = this.#options;
    for (let left = assignment.variants; ;) {
      const asked = { ...assignment, variants: left };
      try {
        await this.#conversation.ask({ type: "run", assignment: asked }, "done", (message) =>
          this.#take(message),
        );
        if (coverage) this.#result.kernels.push(await this.count());
        await this.#conversation.finish();
        return;
      } catch (error) {
        if (this.#timeUp && error instanceof WorkerLost) return;
        const goesOn = kernel.guest && !this.#stopped;
        if (!(error instanceof WorkerLost) || !goesOn) throw error;
        const variant = variantNamed(error.where.variant || left[0]!);
        await this.#lost(error, variant, asked);
        left = assignment.first ? [] : left.slice(left.indexOf(variant.name) + 1);
      }
      if (left.length === 0 || performance.now() > deadline) return;
      this.#conversation = new Conversation(kernel, hangSeconds);
    }
  }

  get isStopped(): boolean {
    return this.#stopped;
  }

  /** The time is up: end at once, or with what it is about where something was found. */
  timeUp(): void {
    this.#isLate = true;
    if (this.#shrinks) return;
    this.#timeUp = true;
    this.stop();
  }

  async #lost(error: WorkerLost, variant: Variant, assignment: Assignment): Promise<void> {
    this.#result.divergedAt ??= performance.now();
    this.#result.guestsLost += 1;
    const found = await investigate(error, variant, assignment, this.#attempts);
    await this.#attempts.finish();
    this.#found(found);
    const ran = { variant: variant.name, seconds: this.#seconds, lost: true };
    this.#result.results.push({ ...this.#soFar, ...ran });
    this.#result.underWay.delete(this.#number);
    this.#options.onResult();
  }

  get #seconds(): number {
    return (performance.now() - this.#variantStarted) / 1000;
  }

  /** What it is at is told where the run ends before its time. */
  #isAt(soFar: JobResult): void {
    this.#soFar = soFar;
    this.#result.underWay.set(this.#number, soFar);
    this.#options.onResult();
  }

  #take(message: Message): void {
    this.#options.hear(this.#number, message);
    if (message.type === "mounted") {
      const { type: _, variant, ...mounted } = message;
      this.#variantStarted = performance.now();
      this.#shrinks = false;
      this.#result.notRun = this.#result.notRun.filter((name) => name !== variant);
      this.#isAt({ variant, counts: NOTHING_RUN, seconds: 0, mounted });
    }
    if (message.type === "promised") {
      const { promised } = message;
      this.#shrinks = false;
      this.#isAt({ ...this.#soFar, mounted: { ...this.#soFar.mounted, promised } });
    }
    if (message.type === "progress") {
      this.#isAt({ ...this.#soFar, counts: message.counts, seconds: this.#seconds });
    }
    if (message.type === "exploring") {
      this.#isAt({ ...this.#soFar, explored: message.explored, seconds: this.#seconds });
    }
    if (message.type === "diverged") {
      this.#result.divergedAt ??= performance.now();
      this.#shrinks = true;
    }
    if (message.type === "found") this.#found(message.found);
    if (message.type === "met") {
      this.#isDone();
      countMet(this.#result.found, message.variant, message.identity);
    }
    if (message.type === "finished") {
      const { type: _, shapes: packed, ...finished } = message;
      const shapes = packed === undefined ? {} : { shapes: unpackShapes(packed) };
      this.#result.underWay.delete(this.#number);
      this.#result.results.push({ ...finished, ...shapes, mounted: this.#soFar.mounted });
      this.#shrinks = false;
      this.#options.onResult();
    }
  }

  /** What it was about is told; where the time was up meanwhile, it ends now. */
  #isDone(): void {
    this.#shrinks = false;
    if (this.#isLate) this.timeUp();
  }

  #found(finding: NewFinding): void {
    this.#isDone();
    const found = withAcceptance({ ...finding, met: 1 }, this.#options.accepted);
    const news = addFound(this.#result.found, found);
    if (news !== undefined) this.#options.onFound(news);
  }

  /** Ask the worker to end; it cleans up after itself. */
  stop(): void {
    this.#stopped = true;
    this.#conversation.stop();
    this.#attempts.stop();
  }

  async settled(): Promise<void> {
    await this.#conversation.settled();
  }
}

/**
 * Share of the time by which a job may be late before it is ended: its last checkpoint took longer
 * than those before.
 */
const LATE = 0.04;

/** Ends the jobs that are late. Returns what calls that off. */
function watchTime(jobs: readonly Job[], { deadline }: SupervisorOptions): () => void {
  if (deadline === undefined) return () => {};
  const left = Math.max(0, deadline - performance.now());
  const look = (): void => jobs.forEach((job) => job.timeUp());
  const timer = setTimeout(look, left * (1 + LATE));
  return () => clearTimeout(timer);
}

async function runJobs(
  jobs: readonly Job[],
  options: SupervisorOptions,
  result: SupervisorResult,
): Promise<void> {
  const { traits, commandLine } = await jobs[0]!.probe();
  // Before the run rather than after it.
  if (options.coverage && (await jobs[0]!.count()).length === 0) {
    const message = "this kernel does not count what runs of fs/ext4 and fs/iomap";
    throw new EnvironmentError("no-coverage", message, "Build it with kernel build --coverage.");
  }
  const assignments = options.assign(traits, commandLine);
  result.notRun = [...assignments[0]!.variants];
  const stopWatching = watchTime(jobs, options);
  try {
    await Promise.all(jobs.map((job, index) => job.run(assignments[index]!)));
  } finally {
    stopWatching();
  }
}

/**
 * Probe the kernel, then run the assignments, one worker each, to their ends, and add to `result`
 * as they go: what was found before something went wrong is not lost with it. Throws
 * EnvironmentError where the machine cannot, WorkerLost where this machine's own kernel does not go
 * on, Interrupted where a signal ended it, Error where a worker broke; the other workers are ended
 * first.
 */
export async function supervise(
  options: SupervisorOptions,
  result: SupervisorResult,
): Promise<void> {
  const jobs = Array.from({ length: options.jobs }, (_, job) => new Job(options, result, job));
  try {
    await endingOnSignal(jobs, async () => {
      await runJobs(jobs, options, result);
      if (jobs.some((job) => job.isStopped)) await cleanUpAfter(jobs);
    });
  } catch (error) {
    // A process that ends by itself is our business; a kernel that does takes its worker with it.
    if (error instanceof WorkerLost && error.how === "ended" && !error.end.kernelDied) {
      throw new Error(error.message, { cause: error });
    }
    throw error;
  }
}
