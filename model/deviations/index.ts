import type { ModelConfig } from "../tables.ts";
import type { Deviation } from "./deviation.ts";
import { delayedBlocksNotNew } from "./delayed-blocks-not-new.ts";
import { directWriteForgetsFault } from "./direct-write-forgets-fault.ts";
import { directWriteFreesPreallocation } from "./direct-write-frees-preallocation.ts";
import { dirtyTagOutlivesDirt } from "./dirty-tag-outlives-dirt.ts";
import { dirtyTagUntilWriteback } from "./dirty-tag-until-writeback.ts";
import { firstByteNotOrdered } from "./first-byte-not-ordered.ts";
import { failedZeroingKeepsReservation } from "./failed-zeroing-keeps-reservation.ts";
import { failedWriteMovesSize } from "./failed-write-moves-size.ts";
import { lastFolioIsNotRead } from "./last-folio-is-not-read.ts";
import { refusedDataConverted } from "./refused-data-converted.ts";
import { releaseTakesBlockOfEof } from "./release-takes-block-of-eof.ts";
import { replayUndoesZeroing } from "./replay-undoes-zeroing.ts";
import { rewriteAfterErrorIsLost } from "./rewrite-after-error-is-lost.ts";
import { shortWriteFreesPreallocation } from "./short-write-frees-preallocation.ts";
import { shortWriteKeepsReservation } from "./short-write-keeps-reservation.ts";
import { uncountedWriteMovesSize } from "./uncounted-write-moves-size.ts";
import { zeroRangeKeepsBytes } from "./zero-range-keeps-bytes.ts";
import { zeroRangeLosesWrites } from "./zero-range-loses-writes.ts";

export type { Deviation, Witness } from "./deviation.ts";

/** Every deviation that a real kernel is known to show. */
export const knownDeviations: readonly Deviation[] = [
  shortWriteKeepsReservation,
  dirtyTagOutlivesDirt,
  dirtyTagUntilWriteback,
  shortWriteFreesPreallocation,
  // After it: on 6.12 it shows only in what that one does not free.
  failedWriteMovesSize,
  zeroRangeLosesWrites,
  failedZeroingKeepsReservation,
  replayUndoesZeroing,
  directWriteFreesPreallocation,
  directWriteForgetsFault,
  rewriteAfterErrorIsLost,
  refusedDataConverted,
  uncountedWriteMovesSize,
  delayedBlocksNotNew,
  releaseTakesBlockOfEof,
  zeroRangeKeepsBytes,
  lastFolioIsNotRead,
  firstByteNotOrdered,
];

/** The known deviations that show after an operation. */
export const deviationsOfSteps: readonly Deviation[] = knownDeviations.filter(
  ({ visible }) => visible === "step",
);

function ofPath(deviations: readonly Deviation[], path: ModelConfig["path"]): readonly Deviation[] {
  return deviations.filter((deviation) => deviation.path === undefined || deviation.path === path);
}

/** All that a path can show. */
export function pathDeviations(path: ModelConfig["path"]): readonly Deviation[] {
  return ofPath(knownDeviations, path);
}

/** Of those that show after an operation, the ones that a path can show. */
export function stepDeviations(path: ModelConfig["path"]): readonly Deviation[] {
  return ofPath(deviationsOfSteps, path);
}

/** What a path can show after an operation on a kernel that tells what is in the page cache. */
export function watchedDeviations(path: ModelConfig["path"]): readonly Deviation[] {
  const watched = knownDeviations.filter(
    ({ visible }) => visible === "step" || visible === "page cache",
  );
  return ofPath(watched, path);
}
