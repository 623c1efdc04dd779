/**
 * Where space is short: writes that would be delayed allocate at once, and what is delayed is
 * written back.
 *
 * Kernel:   fs/ext4/inode.c ext4_nonda_switch(); fs/fs-writeback.c try_to_writeback_inodes_sb(),
 *           which waits until a flusher thread has handed all dirty pages of the file system to the
 *           device (not until they are on it)
 * Left out: the error of the per-CPU counters: where it could decide, `beyondModel` says so; a
 *           flusher thread that is busy at that moment, which is not waited for
 *
 * Both are decided by what the counters said before anything was written back.
 */
import { assert } from "../include/assert.ts";
import type { Inode, SuperBlock } from "../include/types.ts";
import type { GetBlock } from "../include/operations.ts";

/**
 * fs/fs-writeback.c try_to_writeback_inodes_sb(): all that is dirty, of all files. Where some of
 * what is free waits for a commit, writeback may come to an end of what can be allocated in the
 * middle of a folio; whether it then goes on depends on how much of its share of pages is left
 * (fs/ext4/inode.c ext4_do_writepages()). Seen (6.18.44): the rest of the folio stayed delayed.
 */
function try_to_writeback_inodes_sb(sb: SuperBlock, error: number): void {
  const { s_freeclusters_counter, s_dirtyclusters_counter, s_mb_free_pending } = sb;
  const allocatable = s_freeclusters_counter - s_mb_free_pending;
  if (sb.s_freedUnknown || s_dirtyclusters_counter + error > allocatable) sb.beyondModel = true;
  sb.s_wroteBack = true;
  for (const inode of sb.s_inodes) sb.s_op.writepages(inode, 0, Infinity);
}

/** What a file system with so many free and dirty clusters does. */
function decide(free: number, dirty: number, watermark: number): { push: boolean; now: boolean } {
  return {
    push: dirty > 0 && free < 2 * dirty,
    now: 2 * free < 3 * dirty || free < dirty + watermark,
  };
}

/**
 * fs/ext4/inode.c ext4_nonda_switch(): whether a write has to allocate now. Where more than half of
 * what is free is promised, what is delayed is written back first.
 */
export function ext4_nonda_switch(sb: SuperBlock): boolean {
  const { s_freeclusters_counter: free, s_dirtyclusters_counter: dirty, s_reserve } = sb;
  // Then there is more than can be had, and what can be had is delayed.
  if (s_reserve === undefined) return false;
  assert(dirty >= 0, "no fewer than no blocks are promised");
  const { watermark, error } = s_reserve;
  const { push, now } = decide(free, dirty, watermark);
  const much = decide(free + error, Math.max(0, dirty - error), watermark);
  const little = decide(free - error, dirty === 0 ? 0 : dirty + error, watermark);
  if (much.push !== little.push || much.now !== little.now) sb.beyondModel = true;
  if (push) try_to_writeback_inodes_sb(sb, error);
  return now;
}

/**
 * How a block is mapped that a write or a page fault needs: delayed, unless space is too short for
 * that.
 */
export function getBlockFor(inode: Inode): GetBlock {
  const { s_op } = inode.i_sb;
  return s_op.ext4_nonda_switch(inode.i_sb) ? s_op.get_block_now : s_op.get_block;
}
