/**
 * The extent status tree: what the kernel remembers of every block, and the only place that knows a
 * delayed one.
 *
 * Kernel:   fs/ext4/extents_status.c
 * Left out: reclaim (a written, unwritten or hole entry may vanish under memory pressure; a delayed
 *           one never), pending reservations and clusters of more than one block (bigalloc), the
 *           referenced bit
 */
import { assert } from "../include/assert.ts";
import type { Interval } from "../include/interval-map.ts";
import { DELAYED, HOLE } from "../include/types.ts";
import type { ExtentStatus, Inode } from "../include/types.ts";

/** Delayed blocks in [lblk, lblk + len). */
function countDelayed(inode: Inode, lblk: number, len: number): number {
  let blocks = 0;
  // Most files have none, most of the time: then there is nothing to look through.
  if (inode.i_reserved_data_blocks === 0) return 0;
  for (const { start, end, value } of inode.i_es_tree.within(lblk, lblk + len)) {
    if (value === DELAYED) blocks += end - start;
  }
  return blocks;
}

/** fs/ext4/extents_status.c ext4_es_lookup_extent(): the entry that holds `lblk`. */
export function ext4_es_lookup_extent(
  inode: Inode,
  lblk: number,
): Interval<ExtentStatus> | undefined {
  return inode.i_es_tree.find(lblk);
}

/**
 * fs/ext4/extents_status.c ext4_es_insert_extent(): the blocks have been allocated, or found to be
 * a hole. Delayed blocks among them have got what was promised to them, so their reservation is
 * used up.
 */
export function ext4_es_insert_extent(
  inode: Inode,
  lblk: number,
  len: number,
  status: ExtentStatus,
): void {
  if (len === 0) return;
  assert(len > 0, "an extent is not shorter than nothing");
  assert(status !== DELAYED, "delayed blocks go through ext4_es_insert_delayed_extent");
  assert(
    status === HOLE || inode.i_extents.get(lblk) === status,
    "what is remembered of allocated blocks is what the extent tree has",
  );
  const resv_used = countDelayed(inode, lblk, len);
  inode.i_es_tree.set(lblk, lblk + len, status);
  inode.i_es_seq += 1;
  if (resv_used > 0) inode.i_sb.s_op.ext4_da_update_reserve_space(inode, resv_used);
}

/** fs/ext4/extents_status.c ext4_es_insert_delayed_extent(): the caller has reserved the space. */
export function ext4_es_insert_delayed_extent(inode: Inode, lblk: number, len: number): void {
  assert(len <= inode.i_reserved_data_blocks, "space is reserved before blocks are delayed");
  assert((inode.i_es_tree.get(lblk) ?? HOLE) === HOLE, "only a hole becomes delayed");
  inode.i_es_tree.set(lblk, lblk + len, DELAYED);
  inode.i_es_seq += 1;
}

/**
 * fs/ext4/extents_status.c ext4_es_remove_extent(): delayed blocks among them give their
 * reservation back.
 */
export function ext4_es_remove_extent(inode: Inode, lblk: number, len: number): void {
  if (len === 0) return;
  assert(len > 0, "an extent is not shorter than nothing");
  const reserved = countDelayed(inode, lblk, len);
  inode.i_es_tree.delete(lblk, lblk + len);
  inode.i_es_seq += 1;
  inode.i_sb.s_op.ext4_da_release_space(inode, reserved);
}

/**
 * Remember what a look-up found, leaving delayed entries alone.
 *
 * Kernel: fs/ext4/extents_status.c ext4_es_cache_extent(), fs/ext4/extents.c
 *           ext4_determine_insert_hole()
 */
export function ext4_es_cache_extent(
  inode: Inode,
  lblk: number,
  len: number,
  status: ExtentStatus,
): void {
  assert(len > 0, "an extent that is remembered is not empty");
  assert(status !== DELAYED, "a look-up finds nothing delayed");
  inode.i_es_tree.set(lblk, lblk + len, status);
}

/**
 * The hole around `lblk` as the caller found it, cut off where delayed blocks begin and end. Its
 * end.
 */
export function ext4_determine_insert_hole(
  inode: Inode,
  lblk: number,
  hole_start: number,
  hole_end: number,
): number {
  let start = hole_start;
  let end = hole_end;
  for (const extent of inode.i_es_tree.within(hole_start, hole_end)) {
    if (extent.value !== DELAYED) continue;
    if (extent.end <= lblk) start = extent.end;
    else if (extent.start <= lblk) return extent.end;
    else {
      end = extent.start;
      break;
    }
  }
  assert(start <= lblk && lblk < end, "the hole around a block holds it");
  ext4_es_cache_extent(inode, start, end - start, HOLE);
  return end;
}
