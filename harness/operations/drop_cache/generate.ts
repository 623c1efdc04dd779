/**
 * drop_cache: an fsync, then clean folios leave the page cache.
 */
import type { Generation } from "../../aspects/generation.ts";
import type { DropCache } from "./operation.ts";

export const generation: Generation<DropCache> = {
  share: { recordable: 3, all: 3 },
  generate: () => ({ op: "drop_cache" }),
  rank: () => 4,
  simpler: () => [{ op: "fsync" }],
};
