import { turnsUnwritten } from "../ext4/fallocate.ts";
import { filemap_get_folio, folio_pos, pageOf } from "../mm/folio.ts";
import { BH_Dirty, WRITTEN } from "../types.ts";
import type { Inode } from "../types.ts";
import type { Deviation } from "./deviation.ts";

/**
 * Kernel: fs/ext4/extents.c ext4_zero_range() drops the page cache of its range and then calls ext4_alloc_file_blocks(), to turn
 * the blocks unwritten. Since 7.2 that begins with ext4_block_zero_eof(), where the file grows: the folio that holds EOF comes
 * back, with a buffer that is mapped to a written block. Then the block turns unwritten, and the buffer does not. Writeback of
 * what is written there later finds nothing to map and converts nothing: the data is in the block, the extent says unwritten,
 * and the file reads as zeros once the folio is gone. fsync(2) reports success.
 *
 * Until then the folio also shows what the file had before EOF, where zero_range should have left zeros: it was read from disk.
 *
 * Seen (7.3.4, user-mode Linux, the witness; the file read as zeros after a remount). 7.2 has the same code; 6.12 and 6.18 do not
 * zero there. The kernel is wrong: data is lost that was synced, and data is there that was zeroed.
 *
 * Left out: what that folio holds where the data before EOF was not written back yet. It is what the block held before, of any
 * file; and where the kernel marks the block written later (it zeroes short unwritten extents rather than split them), writeback
 * of the folio puts it there for good. Seen (7.3.4, 1k-nodelalloc, seed 1, case 2800: a byte of an older file after a remount).
 * Such a case is reported, as one that a fresh image does not show again.
 */

/** Whether the block that holds EOF is on disk as it is in memory. */
function isClean(inode: Inode): boolean {
  const size = inode.i_sb.s_blocksize;
  const lblk = Math.floor(inode.i_size / size);
  const [extent] = inode.i_extents.within(lblk, lblk + 1);
  if (extent?.value !== WRITTEN) return false;
  const folio = filemap_get_folio(inode, pageOf(inode.i_size));
  if (folio?.buffers === undefined) return true;
  const buffer = folio.buffers[(lblk * size - folio_pos(folio)) / size] ?? 0;
  return (buffer & BH_Dirty) === 0;
}

export const zeroRangeLosesWrites: Deviation = {
  id: "zero-range-loses-writes",
  claim:
    "After zero_range has moved EOF on from within a written block, that block goes on as it was, and what is written to it and synced is lost.",
  reason:
    "EOF's block is zeroed through the page cache after the cache was dropped and before the block turns unwritten: its buffer goes on as written.",
  seenIn: ["7.3"],
  path: "buffer_head",
  visible: "step",
  breaks: ["data-has-blocks", "read-returns-what-was-written"],
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
    forgetZeroed(inode, start, end, new_size) {
      const { i_size, i_sb } = inode;
      const block = i_size - (i_size % i_sb.s_blocksize);
      const comesBack = new_size > i_size && start <= block && block < end && isClean(inode);
      const before = comesBack ? [...inode.contents.within(block, i_size)] : [];
      base.forgetZeroed(inode, start, end, new_size);
      for (const { start: from, end: to, value } of before) inode.contents.set(from, to, value);
    },
    zeroBeforeAllocating(inode, old_size, map, end, flags) {
      if (!turnsUnwritten(inode, old_size, map, end, flags)) {
        return base.zeroBeforeAllocating(inode, old_size, map, end, flags);
      }
      const zeroed = inode.i_sb.s_op.ext4_block_zero_eof(inode, old_size);
      if (zeroed) inode.deviated.add(zeroRangeLosesWrites.id);
    },
  }),
};
