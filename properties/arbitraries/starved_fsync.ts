/**
 * starved_fsync: an fsync of which the device refuses what would need room.
 */
import type { Kind, OperationOf } from "./kind.ts";

export const starved_fsync: Kind<OperationOf<"starved_fsync">> = {
  generate: () => ({ op: "starved_fsync" }),
  /** Whoever reads it must know what had a place on the device before. */
  rank: () => 2,
  simpler: () => [{ op: "fsync" }],
};
