/**
 * drop_cache: an fsync, then clean folios leave the page cache.
 */
import type { Kind, OperationOf } from "./kind.ts";

export const drop_cache: Kind<OperationOf<"drop_cache">> = {
  generate: () => ({ op: "drop_cache" }),
  rank: () => 4,
  simpler: () => [{ op: "fsync" }],
};
