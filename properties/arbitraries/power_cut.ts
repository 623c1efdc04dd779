/**
 * power_cut: a look at what is on the disk. It changes nothing, so it is where it says most: at the
 * end of what matters.
 */
import type { Operation } from "../../harness/operations/operation.ts";
import type { Draw } from "./draw.ts";
import type { Kind, OperationOf } from "./kind.ts";
import { CUT_AFTER_COMMIT_PERCENT } from "./weights.ts";

/**
 * Whether an operation commits what is known of the file, and is not an fsync, which leaves nothing
 * that is not on disk.
 */
function commitsInPassing(operation: Operation): boolean {
  if (operation.op === "pwrite") return operation.sync !== undefined;
  return (
    operation.op === "paused_write" &&
    operation.during.some(({ op }) => op === "fsync" || op === "drop_cache")
  );
}

/**
 * Where in a case to cut the power: an index of `operations`, which are at least one, or their end.
 */
export function placeOfCut(draw: Draw, operations: readonly Operation[]): number {
  const commits = operations.flatMap((operation, i) =>
    commitsInPassing(operation) ? [i + 1] : [],
  );
  if (commits.length > 0 && draw.percent(CUT_AFTER_COMMIT_PERCENT)) return draw.pick(commits);
  return draw.between(1, operations.length);
}

export const power_cut: Kind<OperationOf<"power_cut">> = {
  generate: () => ({ op: "power_cut" }),
  /** Whoever reads it must know what was committed when. */
  rank: () => 2,
  simpler: () => [{ op: "fsync" }],
};
