/**
 * Performing a run: the kernel started, probed and driven, and what it came to. What is printed of
 * it is the caller's business.
 */
import { randomInt } from "node:crypto";
import { availableParallelism, freemem } from "node:os";
import { CASES_PER_CHUNK } from "./chunk.ts";
import { kernelUnderTest } from "../guest/under-test.ts";
import type { UnderTestOptions } from "../guest/under-test.ts";
import type { KernelTraits } from "../under-test/kernel-traits.ts";
import { HANG_SECONDS } from "../workers/link.ts";
import type { KernelUnderTest } from "../workers/link.ts";
import type { Assignment, Message, Work } from "../workers/messages.ts";
import { WHOLE, jobOf } from "./shard.ts";
import type { Shard } from "./shard.ts";
import { Progress } from "./progress.ts";
import { nothingRun, supervise } from "./supervisor.ts";
import type { SupervisorResult } from "./supervisor.ts";
import type { Variant } from "../case/variant.ts";
import type { FoundDivergence } from "../stored/result.ts";
import { withIomap } from "../under-test/variants.ts";

export interface PerformOptions
  extends
    UnderTestOptions,
    Pick<Assignment, "work" | "strict">,
    Partial<Pick<Assignment, "executor" | "first" | "shapes" | "statistics">> {
  variants: readonly Variant[];
  /** Not on the iomap path, whatever the kernel offers: another one that runs them does not. */
  withoutIomap?: boolean | undefined;
  /**
   * Seconds in all, from the beginning of the run; undefined where cases alone are the limit. What
   * is reached first ends it.
   */
  seconds?: number | undefined;
  /** Files of findings that end nothing and fail nothing, by what identifies those. */
  accepted?: ReadonlyMap<string, string> | undefined;
  /** What was found before, as far as it is one run with this. */
  foundBefore?: readonly FoundDivergence[];
  /** Called with each finding when it is told of, and with what is known by then. */
  onFound?: ((found: FoundDivergence, performed: Performed) => void) | undefined;
  /** Called with what the worker of a job tells, and with what was known before. */
  onMessage?: ((message: Message, job: number, performed: Performed) => void) | undefined;
  /** Called when what the run came to so far is another thing. */
  onResult?: ((performed: Performed) => void) | undefined;
  /** Workers; undefined for as many as is usual (`usualJobs`). */
  jobs?: number | undefined;
  /** Which part of a campaign; all of it where that is not said. */
  shard?: Shard | undefined;
  /** Ask what ran of the kernel; in a guest only, whose counters are the run's own. */
  counts?: boolean;
  /** Seconds; undefined where it is as long as is usual on such a kernel. */
  hangSeconds?: number | undefined;
  /** Nothing is shown of how far it has come. */
  quiet?: true;
}

/** Cases for each variant; undefined where nobody has said how many. */
export const casesOf = (work: Work): number | undefined =>
  work.kind === "generate" ? work.cases : undefined;

/** A seed that a person can type. */
export function randomSeed(): number {
  return randomInt(1, 2 ** 31);
}

/** Guests that run beside each other without being asked to. */
const MAX_GUESTS = 4;

/**
 * Workers of a run that names no number. One on this machine: all have its kernel's log. A guest is
 * a machine of its own, so there is one for each processor, as far as there are chunks of cases for
 * them, and memory.
 */
export function usualJobs(
  guest: boolean,
  { cases = Infinity, memory }: { cases?: number | undefined; memory: number },
): number {
  if (!guest) return 1;
  const fit = Math.floor(freemem() / (memory * 2 ** 20));
  const busy = Math.ceil(cases / CASES_PER_CHUNK);
  return Math.max(1, Math.min(availableParallelism(), MAX_GUESTS, busy, fit));
}

/** What a run is about, as it became known. */
export interface Facts {
  options: PerformOptions;
  kernel: KernelUnderTest;
  /** Of generated cases. */
  seed: number | undefined;
  traits: KernelTraits;
  commandLine: string;
}

/**
 * What a job is to tell: the graph is the same for all, and states are compared where there are
 * several variants.
 */
function workOf(work: Work, job: number, variants: number): Work {
  if (work.kind !== "explore") return work;
  const { pictured, compared } = work.exploration;
  const one = job === 0;
  const told = { pictured: one && pictured, compared: one && compared && variants > 1 };
  return { ...work, exploration: { ...work.exploration, ...told } };
}

/** The variants as the kernel runs them: each on every path that it offers and that is wanted. */
export function variantsOf({ options, traits }: Facts): Variant[] {
  return withIomap(options.variants, traits.bufferedIomap && options.withoutIomap !== true);
}

/** @param deadline when the time is up, performance.now() */
function assignmentsFor(facts: Facts, jobs: number, deadline: number | undefined): Assignment[] {
  const { options, kernel, traits } = facts;
  const { work, strict, executor = "ffi", first = false } = options;
  const { shapes = false, statistics = false, shard = WHOLE, accepted } = options;
  const variants = variantsOf(facts);
  return Array.from({ length: jobs }, (_, job) => ({
    variants: variants.map(({ name }) => name),
    work: workOf(work, job, variants.length),
    seconds: deadline && Math.max(0, deadline - performance.now()) / 1000,
    strict,
    executor,
    ...jobOf(shard, job, jobs),
    traits,
    tellCases: kernel.guest,
    first,
    accepted: [...(accepted?.keys() ?? [])],
    shapes,
    statistics,
  }));
}

/** What a run came to. */
export interface Performed {
  kernel: KernelUnderTest;
  /** Of generated cases. */
  seed: number | undefined;
  /** performance.now() at its beginning. */
  started: number;
  /** Absent where the kernel did not answer. */
  facts?: Facts;
  result: SupervisorResult;
  /** What ended it before its time. */
  failure?: unknown;
}

/**
 * Run. `onFacts` is called when the kernel has said what it is. What stops the run is returned with
 * what was found before; what keeps it from beginning is thrown: UsageError, EnvironmentError.
 */
export async function perform(
  options: PerformOptions,
  onFacts: (facts: Facts) => void,
): Promise<Performed> {
  const started = performance.now();
  const { seconds, work, memory, counts: coverage = false, foundBefore = [] } = options;
  const deadline = seconds === undefined ? undefined : started + seconds * 1000;
  const seed = work.kind === "generate" ? work.seed : undefined;
  const kernel = await kernelUnderTest(options.kernel, options);
  const hangSeconds = options.hangSeconds ?? HANG_SECONDS[kernel.guest ? "guest" : "host"];
  const jobs = options.jobs ?? usualJobs(kernel.guest, { cases: casesOf(work), memory });
  const progress = options.quiet === true ? undefined : new Progress(process.stderr);
  const result = { ...nothingRun(), found: [...foundBefore] };
  const performed: Performed = { kernel, seed, started, result };
  const assign = (traits: KernelTraits, commandLine: string): Assignment[] => {
    const facts = { options, kernel, seed, traits, commandLine };
    performed.facts = facts;
    onFacts(facts);
    const assignments = assignmentsFor(facts, jobs, deadline);
    progress?.begin(assignments[0]!.variants.length);
    return assignments;
  };
  try {
    const hear = (job: number, message: Message): void => {
      progress?.hear(job, message);
      options.onMessage?.(message, job, performed);
    };
    const onResult = (): void => options.onResult?.(performed);
    const onFound = (found: FoundDivergence): void => {
      progress?.end();
      options.onFound?.(found, performed);
    };
    const { accepted = new Map<string, string>() } = options;
    const told = { assign, hear, onResult, onFound, accepted };
    const asked = { kernel, jobs, coverage, hangSeconds, deadline, ...told };
    await supervise(asked, performed.result);
  } catch (error) {
    performed.failure = error;
  }
  progress?.end();
  return performed;
}
