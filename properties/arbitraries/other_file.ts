/**
 * other_file: from now on the other of the case's two files is the one that is worked on.
 */
import type { Kind, OperationOf } from "./kind.ts";

export const other_file: Kind<OperationOf<"other_file">> = {
  generate: () => ({ op: "other_file" }),
  /** Whoever reads it must keep two files apart. */
  rank: () => 6,
  simpler: () => [{ op: "unlink" }, { op: "fsync" }],
};
