/**
 * Zeroing part of a block.
 *
 * Kernel:   fs/iomap/buffered-io.c iomap_zero_range(), iomap_zero_iter()
 * Left out: ranges of more than one block (ext4 asks for one at a time)
 */
import { dirtyFolios } from "../mm/folio.ts";
import { HOLE, UNWRITTEN } from "../types.ts";
import type { Inode } from "../types.ts";
import { iomap_iter } from "./iomap.ts";
import type { IomapOps, IomapRound } from "./iomap.ts";
import { writeZeros } from "./buffered-io.ts";

function dirtyOver(inode: Inode, pos: number, len: number): boolean {
  return dirtyFolios(inode, pos, pos + len - 1).length > 0;
}

/** fs/iomap/buffered-io.c iomap_zero_iter_flush_and_stale() */
function flushAndStale(inode: Inode, round: IomapRound, end: number): number {
  round.iomap.stale = true;
  inode.i_sb.s_op.writepages(inode, round.pos, end);
  return 0;
}

/**
 * fs/iomap/buffered-io.c iomap_zero_range() of 6.12: zeros in [pos, pos + len). A hole and a clean unwritten block read as
 * zero already; where dirty pages lie over them those are written back first, and then it is looked again. Whether
 * something was zeroed.
 */
export function iomap_zero_range_flush(
  inode: Inode,
  pos: number,
  len: number,
  ops: IomapOps,
): boolean {
  let dirty = dirtyOver(inode, pos, len);
  let did_zero = false;
  iomap_iter(inode, pos, len, "zero", ops, (round) => {
    const { iomap } = round;
    if (iomap.type === HOLE || iomap.type === UNWRITTEN) {
      if (!dirty) return round.length;
      dirty = false;
      return flushAndStale(inode, round, pos + len - 1);
    }
    writeZeros(inode, round);
    did_zero = true;
    return round.length;
  });
  return did_zero;
}

/**
 * fs/iomap/buffered-io.c iomap_zero_range() with iomap_fill_dirty_folios(), as 6.19 has it: over unwritten blocks the dirty
 * pages themselves are zeroed, and nothing is written back. Whether something was zeroed.
 */
export function iomap_zero_range_batch(
  inode: Inode,
  pos: number,
  len: number,
  ops: IomapOps,
): boolean {
  let dirty = dirtyOver(inode, pos, len);
  let did_zero = false;
  iomap_iter(inode, pos, len, "zero", ops, (round) => {
    const { iomap } = round;
    if (iomap.type === HOLE && dirty) {
      dirty = false;
      return flushAndStale(inode, round, pos + len - 1);
    }
    if (iomap.type === HOLE || (iomap.type === UNWRITTEN && !dirty)) return round.length;
    writeZeros(inode, round);
    did_zero = true;
    return round.length;
  });
  return did_zero;
}
