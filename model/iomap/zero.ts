/**
 * Zeroing part of a block.
 *
 * Kernel:   fs/iomap/buffered-io.c iomap_zero_range(), iomap_zero_iter()
 * Left out: ranges of more than one block (ext4 asks for one at a time)
 */
import { assert } from "../include/assert.ts";
import { dirtyFolios } from "../mm/folio.ts";
import { HOLE, UNWRITTEN } from "../include/types.ts";
import type { Inode } from "../include/types.ts";
import { iomap_iter } from "./iomap.ts";
import type { IomapOps, IomapType } from "../include/iomap.ts";
import type { IomapRound } from "./iomap.ts";
import { writeZeros } from "./buffered-io.ts";

/** fs/iomap/buffered-io.c iomap_zero_iter_flush_and_stale() */
function flushAndStale(inode: Inode, round: IomapRound, end: number): number {
  assert(!round.iomap.stale, "a mapping goes stale once");
  round.iomap.stale = true;
  inode.i_sb.s_op.writepages(inode, round.pos, end);
  return 0;
}

/** Zeros bytes [pos, pos + len); whether that took a write. */
type ZeroRange = (inode: Inode, pos: number, len: number, ops: IomapOps) => boolean;

/**
 * Zeros in [pos, pos + len). What has no written blocks reads as zero already; where dirty pages
 * lie over it, mappings of a type in `flushed` are written back first and looked at again, and of
 * the other types but those in `skipped` the pages are zeroed.
 */
function zeroRange(flushed: readonly IomapType[], skipped: readonly IomapType[] = []): ZeroRange {
  return (inode, pos, len, ops) => {
    const size = inode.i_sb.s_blocksize;
    assert(len > 0, "what is zeroed is not empty");
    assert((pos % size) + len <= size, "what is zeroed lies in one block");
    let dirty = dirtyFolios(inode, pos, pos + len - 1).length > 0;
    let did_zero = false;
    iomap_iter(inode, pos, len, ops, (round) => {
      const { type } = round.iomap;
      if (!dirty && (type === HOLE || type === UNWRITTEN)) return round.length;
      if (skipped.includes(type)) return round.length;
      if (dirty && flushed.includes(type)) {
        dirty = false;
        return flushAndStale(inode, round, pos + len - 1);
      }
      writeZeros(inode, round);
      did_zero = true;
      return round.length;
    });
    return did_zero;
  };
}

/**
 * fs/iomap/buffered-io.c iomap_zero_range() of 6.12: dirty pages over a hole or unwritten blocks
 * are written back.
 */
export const iomap_zero_range_flush = zeroRange([HOLE, UNWRITTEN]);

/**
 * fs/iomap/buffered-io.c iomap_zero_range() with iomap_fill_dirty_folios(), as 6.19 has it: over
 * unwritten blocks the dirty pages themselves are zeroed, and nothing is written back.
 */
export const iomap_zero_range_batch = zeroRange([HOLE]);

/** fs/iomap/buffered-io.c iomap_zero_range() of 7.3: a hole is left alone, whatever lies over it. */
export const iomap_zero_range_but_holes = zeroRange([], [HOLE]);
