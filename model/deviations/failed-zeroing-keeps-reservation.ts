import { DELAYED } from "../include/types.ts";
import type { Deviation } from "./deviation.ts";

/**
 * Kernel: fs/ext4/extents.c ext4_zero_range() drops the page cache of its range, and only then lets
 * ext4_alloc_file_blocks() look for blocks. Where there are too few it returns what that said. What
 * it did not come to and what was delayed stays delayed: its data is gone with the pages, so no
 * writeback comes by, and the reservation is held until the blocks are truncated or the inode goes.
 * A direct read of such a block fails with EIO, as one does of what a short write has left
 * (short-write-keeps-reservation.ts). By the code, what was dirty over written blocks there is lost
 * too, and they read as they were before.
 *
 * Seen (6.12.117 without SMP, 4k-full, and 6.18.44, 4k-full-delayed, found by generation), traced
 * (6.18.44, 400 blocks free): ext4_invalidate_folio of block 400, ext4_ext_map_blocks_exit -28, and
 * no ext4_da_release_space; fsync returns 0, and the block is delayed for FIEMAP. 7.3 has the same
 * code. The kernel is wrong.
 *
 * It takes a file system on which writes are still delayed, and which has fewer blocks than
 * zero_range asks for. ext4_nonda_switch() makes that rare: below a watermark, of 256 blocks for
 * two CPUs and of none without SMP, nothing is delayed.
 */
export const failedZeroingKeepsReservation: Deviation = {
  id: "failed-zeroing-keeps-reservation",
  claim:
    "Where zero_range fails for want of space, delayed blocks of its range lose their data and keep their reservation, even after fsync.",
  severity: "data",
  reason:
    "ext4_zero_range() drops the page cache before it allocates, and does not undo the delayed extents where that fails.",
  seenIn: ["6.12", "6.18"],
  visible: "step",
  breaks: ["nothing-delayed-after-sync", "read-returns-what-was-written"],
  takes: "failed zero_range",
  witness: {
    kernel: "6.18",
    variant: "4k-delalloc",
    freeBlocks: 6,
    operations: [
      { op: "pwrite", pos: 24576, len: 4096, readable: 4096 },
      { op: "fallocate", mode: "zero_range", pos: 0, len: 28672 },
      { op: "fsync" },
    ],
    // For the variants that are full, with up to 48 free blocks (images/variants.ts).
    also: [
      { op: "pwrite", pos: 262144, len: 4096, readable: 4096 },
      { op: "fallocate", mode: "zero_range", pos: 0, len: 266240 },
      { op: "fsync" },
    ],
  },
  override: () => ({
    releaseDropped(inode, start, end) {
      for (const { value } of inode.i_es_tree.within(start, end)) {
        if (value === DELAYED) inode.deviated.add(failedZeroingKeepsReservation.id);
      }
    },
  }),
};
