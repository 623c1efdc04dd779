/**
 * fsync: the simplest operation there is; nothing can stand in for it.
 */
import type { Kind, OperationOf } from "./kind.ts";

export const fsync: Kind<OperationOf<"fsync">> = {
  generate: () => ({ op: "fsync" }),
  rank: () => 1,
  simpler: () => [],
};
