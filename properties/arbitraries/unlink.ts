/**
 * unlink: the file goes, whatever state it is in, and the case goes on with a new one.
 */
import type { Kind, OperationOf } from "./kind.ts";

export const unlink: Kind<OperationOf<"unlink">> = {
  generate: () => ({ op: "unlink" }),
  rank: () => 2,
  simpler: () => [{ op: "ftruncate", size: 0 }, { op: "fsync" }],
};
