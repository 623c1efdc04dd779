import type { Deviation } from "./deviation.ts";
import { zeroesEofLate } from "./zero-range-loses-writes.ts";

/**
 * Kernel: fs/ext4/extents.c ext4_zero_range() as of 7.2, on the iomap path. What it does is told in
 * zero-range-loses-writes.ts: EOF's block is zeroed in a page that has been dropped and is read
 * from disk again, and then turns unwritten. Here no buffer remembers that it was written. The page
 * is dirty, so writeback finds an unwritten block, and converts it: what was before EOF, and should
 * be zeros, is in the file for good. Where the block was not written yet, the page that comes to be
 * has zeros, and writeback gives them a written block.
 *
 * Seen (7.3.4 with the series of October 2026, 4k-delalloc-iomap: 512 bytes that were synced are
 * read after zero_range(0, 4096), and after a remount). The kernel is wrong: data is there that was
 * zeroed.
 */
export const zeroRangeKeepsBytes: Deviation = {
  id: "zero-range-keeps-bytes",
  claim:
    "After zero_range has moved EOF on from within a written block, what that block had before the old EOF is in the file still, for good.",
  severity: "data",
  reason:
    "EOF's block is zeroed through the page cache after the cache was dropped and before the block turns unwritten: its page comes back from disk, and is dirty.",
  seenIn: ["series 7.4-dev on 7.3.4"],
  path: "iomap",
  visible: "step",
  breaks: ["read-returns-what-was-written", "synced-survives", "synced-bytes-survive"],
  takes: "zero_range",
  witness: {
    kernel: "series 7.4-dev",
    variant: "4k-delalloc",
    operations: [
      { op: "pwrite", pos: 3584, len: 256, readable: 256 },
      { op: "fsync" },
      { op: "fallocate", mode: "zero_range", pos: 0, len: 4096 },
      { op: "fsync" },
    ],
  },
  override: zeroesEofLate("zero-range-keeps-bytes"),
};
