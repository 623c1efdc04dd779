import { eofTurnsUnwritten } from "../ext4/fallocate.ts";
import type { Interval } from "../include/interval-map.ts";
import { UNKNOWN_TAG } from "../include/pattern.ts";
import { blockInMemory, cachedFolio, folio_pos, pageOf } from "../mm/folio.ts";
import { PAGE_SIZE, WRITTEN } from "../include/types.ts";
import type { Inode, Source } from "../include/types.ts";
import type { Override } from "../tables.ts";
import type { Deviation } from "./deviation.ts";

/**
 * Kernel: fs/ext4/extents.c ext4_zero_range() drops the page cache of its range and then calls
 * ext4_alloc_file_blocks(), to turn the blocks unwritten. Since 7.2 that begins with
 * ext4_block_zero_eof(), where the file grows: the folio that holds EOF comes back, with a buffer
 * that is mapped to a written block. Then the block turns unwritten, and the buffer does not.
 * Writeback of what is written there later finds nothing to map and converts nothing: the data is
 * in the block, the extent says unwritten, and the file reads as zeros once the folio is gone.
 * fsync(2) reports success.
 *
 * Until then the folio also shows what the file had before EOF, where zero_range should have left
 * zeros: it was read from disk.
 *
 * Seen (7.3.4, user-mode Linux, the witness; the file read as zeros after a remount). 7.2 has the
 * same code; 6.12 and 6.18 do not zero there. The kernel is wrong: data is lost that was synced,
 * and data is there that was zeroed.
 *
 * Where the data before EOF was not written back yet, the folio shows what the block held before:
 * what this file had written back (seen on 7.3.4, by a read while a writer sleeps over it), or else
 * what any file left there, and nobody can say what (UNKNOWN_TAG). Where the kernel marks the block
 * written later (it zeroes short unwritten extents rather than split them), writeback of the folio
 * puts that there for good. Seen (7.3.4, 1k-nodelalloc: a byte of an older file after a remount).
 */

/**
 * What comes back of the block that holds EOF, bytes [block, EOF), where blocks [start, end) bytes
 * are zeroed: what is on disk. That is what it has in memory, unless it is dirty there; else what
 * was written back, if anybody follows that. What comes later in the list lies over what comes
 * before. Nothing where the block is not written, and where its page stays in memory, which is
 * zeroed there.
 */
function comesBack(inode: Inode, block: number, start: number, end: number): Interval<Source>[] {
  const { i_size, i_sb, i_extents, contents } = inode;
  const lblk = block / i_sb.s_blocksize;
  const [extent] = i_extents.within(lblk, lblk + 1);
  if (extent?.value !== WRITTEN) return [];
  const page = pageOf(block);
  const folio = cachedFolio(inode, page);
  if (folio === undefined) return [...contents.within(block, i_size)];
  const { uptodate, dirty } = blockInMemory(folio, (block - folio_pos(folio)) / i_sb.s_blocksize);
  const dropped = start <= page * PAGE_SIZE && (page + 1) * PAGE_SIZE <= end;
  if (!dropped && uptodate) return [];
  if (!dirty) return [...contents.within(block, i_size)];
  const written = inode.disk?.contents.within(block, i_size) ?? [];
  return [{ start: block, end: i_size, value: { tag: UNKNOWN_TAG, delta: 0 } }, ...written];
}

/** EOF's block is zeroed after the page cache was dropped, and before it turns unwritten. */
export const zeroesEofLate =
  (id: string): Override =>
  (base) => ({
    forgetZeroed(inode, start, end, new_size) {
      const { i_size, i_sb } = inode;
      const block = i_size - (i_size % i_sb.s_blocksize);
      const isEofs = new_size > i_size && start <= block && block < end && block < i_size;
      const before = isEofs ? comesBack(inode, block, start, end) : [];
      base.forgetZeroed(inode, start, end, new_size);
      for (const { start: from, end: to, value } of before) inode.contents.set(from, to, value);
    },
    ext4_alloc_file_blocks(...allocation) {
      const [inode, , , new_size] = allocation;
      const { i_sb, i_size } = inode;
      if (new_size > i_size && eofTurnsUnwritten(...allocation)) {
        const zeroed = i_sb.s_op.ext4_block_zero_eof(inode, i_size);
        if (zeroed) inode.deviated.add(id);
      }
      return base.ext4_alloc_file_blocks(...allocation);
    },
  });

export const zeroRangeLosesWrites: Deviation = {
  id: "zero-range-loses-writes",
  claim:
    "After zero_range has moved EOF on from within a written block, that block goes on as it was, and what is written to it and synced is lost.",
  severity: "data",
  reason:
    "EOF's block is zeroed through the page cache after the cache was dropped and before the block turns unwritten: its buffer goes on as written.",
  seenIn: ["7.3"],
  path: "buffer_head",
  visible: "step",
  breaks: ["data-has-blocks", "read-returns-what-was-written"],
  takes: "zero_range",
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
  override: zeroesEofLate("zero-range-loses-writes"),
};
