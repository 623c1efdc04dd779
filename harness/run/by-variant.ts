/**
 * What the jobs came to, added up: one result for each variant.
 */
import { together as exploredTogether } from "../explore/explored.ts";
import type { RunCounts } from "../stored/result.ts";
import type { Statistics } from "../lockstep/statistics.ts";
import type { JobResult } from "./supervisor.ts";

/** Two counts of the same things, added up. */
function sumEach(
  a: Partial<Record<string, number>>,
  b: Partial<Record<string, number>>,
): Record<string, number> {
  const all: Record<string, number> = {};
  for (const [key, count = 0] of [...Object.entries(a), ...Object.entries(b)]) {
    all[key] = (all[key] ?? 0) + count;
  }
  return all;
}

/** The counts of two runs together. */
export function sum(a: RunCounts, b: RunCounts): RunCounts {
  return {
    cases: a.cases + b.cases,
    tries: a.tries + b.tries,
    operations: a.operations + b.operations,
    files: a.files + b.files,
    checkpoints: a.checkpoints + b.checkpoints,
    guesses: a.guesses + b.guesses,
    transient: a.transient + b.transient,
    deviations: sumEach(a.deviations, b.deviations),
    handedOver: sumEach(a.handedOver, b.handedOver),
  };
}

/** As it was mounted, and judged by the job to which the contract alone had to do. */
function mountedIn(a: JobResult["mounted"], b: JobResult["mounted"]): JobResult["mounted"] {
  const { promised = b.promised } = a;
  return { ...(a.path === undefined ? b : a), ...(promised !== undefined && { promised }) };
}

function together(a: JobResult, b: JobResult): JobResult {
  const explored =
    a.explored && b.explored
      ? exploredTogether(a.explored, b.explored)
      : (a.explored ?? b.explored);
  return {
    variant: a.variant,
    counts: sum(a.counts, b.counts),
    // They run at the same time.
    seconds: Math.max(a.seconds, b.seconds),
    mounted: mountedIn(a.mounted, b.mounted),
    ...((a.shapes ?? b.shapes) && { shapes: [...(a.shapes ?? []), ...(b.shapes ?? [])] }),
    ...((a.statistics ?? b.statistics) && { statistics: metIn([a, b]) }),
    ...(explored && { explored }),
    ...((a.timeUp === true || b.timeUp === true) && { timeUp: true }),
    ...((a.foundEnough === true || b.foundEnough === true) && { foundEnough: true }),
    ...((a.lost === true || b.lost === true) && { lost: true }),
  };
}

/** What the operations of all of them met. */
export function metIn(results: readonly JobResult[]): Statistics {
  return results.reduce<Statistics>((met, { statistics = {} }) => sumEach(met, statistics), {});
}

/** Operations a second. */
export function speedOf({ counts, seconds }: JobResult): number {
  return counts.operations / Math.max(seconds, 0.001);
}

/** One result for each variant, in the order in which they come first. */
export function byVariant(results: readonly JobResult[]): JobResult[] {
  const variants = new Map<string, JobResult>();
  for (const result of results) {
    const before = variants.get(result.variant);
    variants.set(result.variant, before === undefined ? result : together(before, result));
  }
  return [...variants.values()];
}
