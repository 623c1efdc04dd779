import type { Deviation } from "./deviation.ts";
import { dirtyTagOutlivesDirt } from "./dirty-tag-outlives-dirt.ts";
import { failedWriteMovesSize } from "./failed-write-moves-size.ts";
import { shortWriteKeepsReservation } from "./short-write-keeps-reservation.ts";

export type { Deviation } from "./deviation.ts";

/** Every deviation that a real kernel is known to show. */
export const knownDeviations: readonly Deviation[] = [
  shortWriteKeepsReservation,
  failedWriteMovesSize,
  dirtyTagOutlivesDirt,
];
