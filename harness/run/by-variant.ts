/**
 * What the jobs came to, added up: one result for each variant.
 */
import { together as exploredTogether } from "../explore/explored.ts";
import type { RunCounts } from "../stored/result.ts";
import type { JobResult } from "./supervisor.ts";

/** Two counts of the same things, added up. */
export function sumEach(
  a: Partial<Record<string, number>>,
  b: Partial<Record<string, number>>,
): Record<string, number> {
  const all: Record<string, number> = {};
  for (const [key, count = 0] of [...Object.entries(a), ...Object.entries(b)]) {
    all[key] = (all[key] ?? 0) + count;
  }
  return all;
}

function sum(a: RunCounts, b: RunCounts): RunCounts {
  return {
    cases: a.cases + b.cases,
    operations: a.operations + b.operations,
    files: a.files + b.files,
    checkpoints: a.checkpoints + b.checkpoints,
    guesses: a.guesses + b.guesses,
    transient: a.transient + b.transient,
    deviations: sumEach(a.deviations, b.deviations),
    handedOver: sumEach(a.handedOver, b.handedOver),
  };
}

function together(a: JobResult, b: JobResult): JobResult {
  const explored =
    a.explored && b.explored
      ? exploredTogether(a.explored, b.explored)
      : (a.explored ?? b.explored);
  const shapes = [...(a.shapes ?? []), ...(b.shapes ?? [])];
  return {
    variant: a.variant,
    counts: sum(a.counts, b.counts),
    // They run at the same time.
    seconds: Math.max(a.seconds, b.seconds),
    mounted: a.mounted.path === undefined ? b.mounted : a.mounted,
    ...(shapes.length === 0 ? {} : { shapes }),
    ...(explored === undefined ? {} : { explored }),
  };
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
