/**
 * fsync: the simplest operation there is; nothing can stand in for it.
 */
import type { Generation } from "../../aspects/generation.ts";
import type { Fsync } from "./operation.ts";

export const generation: Generation<Fsync> = {
  /**
   * Every tenth operation: without it delayed blocks are never allocated, with more they hardly
   * pile up.
   */
  share: { recordable: 10, all: 10 },
  generate: () => ({ op: "fsync" }),
  rank: () => 1,
  simpler: () => [],
  onlySyncs: true,
};
