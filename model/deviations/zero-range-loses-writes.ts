import { turnsUnwritten } from "../ext4/fallocate.ts";
import type { Deviation } from "./deviation.ts";

/**
 * Kernel: fs/ext4/extents.c ext4_zero_range() drops the page cache of its range and then calls ext4_alloc_file_blocks(), to turn
 * the blocks unwritten. Since 7.2 that begins with ext4_block_zero_eof(), where the file grows: the folio that holds EOF comes
 * back, with a buffer that is mapped to a written block. Then the block turns unwritten, and the buffer does not. Writeback of
 * what is written there later finds nothing to map and converts nothing: the data is in the block, the extent says unwritten,
 * and the file reads as zeros once the folio is gone. fsync(2) reports success.
 *
 * Seen (7.3.4, user-mode Linux, the witness; the file read as zeros after a remount). 7.2 has the same code; 6.12 and 6.18 do not
 * zero there. The kernel is wrong: data is lost that was synced.
 */
export const zeroRangeLosesWrites: Deviation = {
  id: "zero-range-loses-writes",
  claim:
    "After zero_range has moved EOF on from within a written block, what is written to that block and synced is lost.",
  reason:
    "EOF's block is zeroed through the page cache after the cache was dropped and before the block turns unwritten: its buffer goes on as written.",
  seenIn: ["7.3"],
  path: "buffer_head",
  visible: "step",
  breaks: ["data-has-blocks"],
  witness: {
    kernel: "7.3",
    variant: "4k-nodelalloc",
    // In the last kilobyte of a page, so that with blocks of any size only EOF's is written to.
    operations: [
      { op: "pwrite", pos: 3584, len: 256, readable: 256 },
      { op: "fsync" },
      { op: "fallocate", mode: "zero_range", pos: 0, len: 4096 },
      { op: "pwrite", pos: 3584, len: 512, readable: 512 },
      { op: "fsync" },
    ],
  },
  override: (base) => ({
    zeroBeforeAllocating(inode, old_size, map, end, flags) {
      if (!turnsUnwritten(inode, old_size, map, end, flags)) {
        return base.zeroBeforeAllocating(inode, old_size, map, end, flags);
      }
      const zeroed = inode.i_sb.s_op.ext4_block_zero_eof(inode, old_size);
      if (zeroed) inode.deviated.add(zeroRangeLosesWrites.id);
    },
  }),
};
