import type { Deviation } from "../deviation.ts";
import { commitBeforeConversion } from "./commit-before-conversion.ts";
import { commitForgetsFrees } from "./commit-forgets-frees.ts";
import { commitForgetsSize } from "./commit-forgets-size.ts";
import { conversionOfWholeExtent } from "./conversion-of-whole-extent.ts";
import { conversionRoundsDown } from "./conversion-rounds-down.ts";
import { delallocSwitchedOff } from "./delalloc-switched-off.ts";
import { disksizeLate } from "./disksize-late.ts";
import { enospcNotRetried } from "./enospc-not-retried.ts";
import { freedBlocksReused } from "./freed-blocks-reused.ts";
import { mkwritePastEof } from "./mkwrite-past-eof.ts";
import { newBlocksWritten } from "./new-blocks-written.ts";
import { nodelallocTruncates } from "./nodelalloc-truncates.ts";
import { partialBlockNotZeroed } from "./partial-block-not-zeroed.ts";
import { punchRoundsEndUp } from "./punch-rounds-end-up.ts";
import { punchRoundsStartDown } from "./punch-rounds-start-down.ts";
import { releaseLeavesFirstBlock } from "./release-leaves-first-block.ts";
import { releaseLeavesLastBlock } from "./release-leaves-last-block.ts";
import { releaseSkippedForNothing } from "./release-skipped-for-nothing.ts";
import { releaseStopsAtEof } from "./release-stops-at-eof.ts";
import { releaseTakesOlderReservation } from "./release-takes-older-reservation.ts";
import { releaseTakesWrittenBlock } from "./release-takes-written-block.ts";
import { reservationOfOneBlock } from "./reservation-of-one-block.ts";
import { reservationOutlivesAllocation } from "./reservation-outlives-allocation.ts";
import { reservationOutlivesTruncation } from "./reservation-outlives-truncation.ts";
import { reservedTwice } from "./reserved-twice.ts";
import { sizeBeforeCopy } from "./size-before-copy.ts";
import { sizeBeforeData } from "./size-before-data.ts";
import { staleMappingAccepted } from "./stale-mapping-accepted.ts";
import { syncMissesLastByte } from "./sync-misses-last-byte.ts";
import { truncateLeavesBlock } from "./truncate-leaves-block.ts";
import { unwrittenTakenForWritten } from "./unwritten-taken-for-written.ts";
import { writebackKeepsMapping } from "./writeback-keeps-mapping.ts";

/** Bugs that nobody has, one at a time put into the model to see whether they would be found. */
export const seededBugs: readonly Deviation[] = [
  releaseTakesWrittenBlock,
  releaseLeavesLastBlock,
  releaseLeavesFirstBlock,
  releaseSkippedForNothing,
  releaseStopsAtEof,
  releaseTakesOlderReservation,
  reservedTwice,
  reservationOutlivesAllocation,
  reservationOutlivesTruncation,
  reservationOfOneBlock,
  unwrittenTakenForWritten,
  conversionOfWholeExtent,
  conversionRoundsDown,
  writebackKeepsMapping,
  staleMappingAccepted,
  sizeBeforeCopy,
  disksizeLate,
  truncateLeavesBlock,
  partialBlockNotZeroed,
  punchRoundsStartDown,
  punchRoundsEndUp,
  nodelallocTruncates,
  enospcNotRetried,
  delallocSwitchedOff,
  newBlocksWritten,
  mkwritePastEof,
  syncMissesLastByte,
  commitForgetsSize,
  commitBeforeConversion,
  commitForgetsFrees,
  sizeBeforeData,
  freedBlocksReused,
];
