/**
 * The extent tree: which blocks are allocated, and which of them hold data.
 *
 * Kernel:   fs/ext4/extents.c ext4_ext_map_blocks() and what it calls, ext4_ext_remove_space();
 *           fs/ext4/inode.c ext4_map_blocks(), ext4_map_query_blocks(), ext4_map_create_blocks()
 * Left out: physical placement, the tree's shape and its limits on the length of an extent (what is
 *           compared is merged by state), credits, indirect-block files
 */
import { assert } from "../include/assert.ts";
import { ENOSPC } from "../include/errno.ts";
import {
  BH_Delay,
  BH_Mapped,
  BH_New,
  BH_Unwritten,
  DELAYED,
  EXT_MAX_BLOCKS,
  HOLE,
  UNWRITTEN,
  WRITTEN,
} from "../include/types.ts";
import { freesOnDisk } from "./power-cut.ts";
import type { Inode, MapBlocks } from "../include/types.ts";
import {
  ext4_determine_insert_hole,
  ext4_es_cache_extent,
  ext4_es_lookup_extent,
} from "./extents_status.ts";
import { ext4_update_inode_fsync_trans } from "./fsync.ts";
import { ext4_mb_new_blocks } from "./mballoc.ts";
import { ext4_ext_convert_to_initialized } from "./zeroout.ts";

/** fs/ext4/ext4.h EXT4_GET_BLOCKS_*: the ones that change what is modelled. */
export const EXT4_GET_BLOCKS_CREATE = 1;
export const EXT4_GET_BLOCKS_UNWRIT_EXT = 2;
export const EXT4_GET_BLOCKS_CREATE_UNWRIT_EXT =
  EXT4_GET_BLOCKS_CREATE | EXT4_GET_BLOCKS_UNWRIT_EXT;
/** A written extent becomes unwritten (zero range). */
export const EXT4_GET_BLOCKS_CONVERT_UNWRITTEN = 4;
/** An unwritten extent becomes written, its I/O is done. */
export const EXT4_GET_BLOCKS_CONVERT = 8;

/** Nothing is preallocated beyond what was asked for. */
export const EXT4_GET_BLOCKS_NO_NORMALIZE = 32;

/** The caller submits the data itself. */
export const EXT4_GET_BLOCKS_IO_SUBMIT = 16;

/**
 * What lies elsewhere on the disk is an extent of its own, as far as it was told where that is
 * (Inode.breaks).
 */
export function endAtBreak({ breaks }: Inode, map: MapBlocks): void {
  for (const at of breaks) {
    if (at > map.m_lblk && at < map.m_lblk + map.m_len) map.m_len = at - map.m_lblk;
  }
}

/** Set map's flags and length from a cached extent of the given status. */
function mapFrom(map: MapBlocks, status: number, end: number): void {
  map.m_len = Math.min(map.m_len, end - map.m_lblk);
  assert(map.m_len > 0, "a mapping is not empty");
  map.m_flags =
    status === WRITTEN
      ? BH_Mapped
      : status === UNWRITTEN
        ? BH_Unwritten
        : status === DELAYED
          ? BH_Delay
          : 0;
}

/**
 * fs/ext4/inode.c ext4_map_query_blocks(): look the first of the blocks up in the extent tree,
 * shorten the map to what lies in one state, and in one piece, remember it.
 */
export function ext4_map_query_blocks(inode: Inode, map: MapBlocks): void {
  const i = inode.i_extents.indexAfter(map.m_lblk);
  const extent = inode.i_extents.at(i);
  if (extent !== undefined && extent.start <= map.m_lblk) {
    mapFrom(map, extent.value, extent.end);
    endAtBreak(inode, map);
    ext4_es_cache_extent(inode, map.m_lblk, map.m_len, extent.value);
    return;
  }
  const hole_start = inode.i_extents.at(i - 1)?.end ?? 0;
  const hole_end = extent?.start ?? EXT_MAX_BLOCKS;
  const end = ext4_determine_insert_hole(inode, map.m_lblk, hole_start, hole_end);
  mapFrom(map, HOLE, end);
}

/**
 * Allocate the hole or delayed blocks [m_lblk, m_lblk + m_len) as far as the extent tree has
 * nothing there, and as far as the allocator gives blocks at once. 0 or -ENOSPC.
 */
function allocate(inode: Inode, map: MapBlocks, flags: number): number {
  const unwritten = (flags & EXT4_GET_BLOCKS_UNWRIT_EXT) !== 0;
  const next = inode.i_extents.next(map.m_lblk);
  if (next !== undefined) map.m_len = Math.min(map.m_len, next.start - map.m_lblk);
  assert(map.m_len > 0, "an allocation starts in a hole");
  const got = ext4_mb_new_blocks(inode, map.m_lblk, map.m_len, {
    reserved: (map.m_flags & BH_Delay) !== 0,
    noPreallocation: (flags & EXT4_GET_BLOCKS_NO_NORMALIZE) !== 0,
  });
  if (got === 0) return ENOSPC;
  assert(
    got > 0 && got <= map.m_len,
    "the allocator gives some of the blocks that it was asked for",
  );
  map.m_len = got;
  inode.i_extents.set(map.m_lblk, map.m_lblk + got, unwritten ? UNWRITTEN : WRITTEN);
  inode.i_sb.s_freeclusters_counter -= got;
  assert(inode.i_sb.s_freeclusters_counter >= 0, "no more blocks are allocated than are free");
  if (!unwritten) ext4_update_inode_fsync_trans(inode);
  map.m_flags = BH_Mapped | BH_New | (unwritten ? BH_Unwritten : 0);
  return 0;
}

/** fs/ext4/extents.c ext4_ext_handle_unwritten_extents() */
function ext4_ext_handle_unwritten_extents(inode: Inode, map: MapBlocks, flags: number): void {
  if ((flags & EXT4_GET_BLOCKS_CONVERT) !== 0) {
    inode.i_extents.set(map.m_lblk, map.m_lblk + map.m_len, WRITTEN);
    ext4_update_inode_fsync_trans(inode);
    map.m_flags = BH_Mapped;
  } else if ((flags & EXT4_GET_BLOCKS_UNWRIT_EXT) !== 0) {
    map.m_flags = BH_Mapped | BH_Unwritten;
  } else {
    ext4_ext_convert_to_initialized(inode, map);
    ext4_update_inode_fsync_trans(inode);
    map.m_flags = BH_Mapped | BH_New;
  }
}

/**
 * fs/ext4/inode.c ext4_map_create_blocks(), with ext4_ext_map_blocks() for a create: allocate or
 * convert. 0 or -ENOSPC.
 */
function ext4_map_create_blocks(inode: Inode, map: MapBlocks, flags: number): number {
  const extent = inode.i_extents.find(map.m_lblk);
  if (extent === undefined) {
    const error = allocate(inode, map, flags);
    if (error !== 0) return error;
  } else {
    map.m_len = Math.min(map.m_len, extent.end - map.m_lblk);
    endAtBreak(inode, map);
    if (extent.value === UNWRITTEN) {
      ext4_ext_handle_unwritten_extents(inode, map, flags);
    } else {
      const convert = (flags & EXT4_GET_BLOCKS_CONVERT_UNWRITTEN) !== 0;
      if (convert) {
        inode.i_extents.set(map.m_lblk, map.m_lblk + map.m_len, UNWRITTEN);
        ext4_update_inode_fsync_trans(inode);
      }
      map.m_flags = convert ? BH_Unwritten : BH_Mapped;
    }
  }
  const status = (map.m_flags & BH_Unwritten) !== 0 ? UNWRITTEN : WRITTEN;
  inode.i_sb.s_op.ext4_es_insert_extent(inode, map.m_lblk, map.m_len, status);
  return 0;
}

/** Blocks that a crash could show with stale contents have their data written before the commit. */
function orderData(inode: Inode, map: MapBlocks, flags: number): void {
  const { s_op, s_blocksize } = inode.i_sb;
  const start = map.m_lblk * s_blocksize;
  const length = map.m_len * s_blocksize;
  if ((flags & EXT4_GET_BLOCKS_IO_SUBMIT) !== 0) {
    s_op.ext4_jbd2_inode_add_wait(inode, start, length);
  } else {
    s_op.ext4_jbd2_inode_add_write(inode, start, length);
  }
}

/**
 * fs/ext4/inode.c ext4_map_blocks(): look blocks up and, where `flags` say so, allocate or convert
 * them. The map comes back shortened to what lies in one state. Blocks found or made; 0 for a hole
 * that was only looked up; or -ENOSPC.
 */
export function ext4_map_blocks(inode: Inode, map: MapBlocks, flags: number): number {
  assert(map.m_lblk < EXT_MAX_BLOCKS, "a block lies in the largest file");
  const es = ext4_es_lookup_extent(inode, map.m_lblk);
  if (es === undefined) {
    ext4_map_query_blocks(inode, map);
  } else {
    mapFrom(map, es.value, es.end);
    if ((map.m_flags & (BH_Mapped | BH_Unwritten)) !== 0) endAtBreak(inode, map);
  }

  if ((flags & EXT4_GET_BLOCKS_CREATE) === 0 && (flags & EXT4_GET_BLOCKS_CONVERT) === 0) {
    return (map.m_flags & (BH_Mapped | BH_Unwritten)) !== 0 ? map.m_len : 0;
  }
  if ((map.m_flags & BH_Mapped) !== 0 && (flags & EXT4_GET_BLOCKS_CONVERT_UNWRITTEN) === 0) {
    // If it was not zeroed with its neighbour it is new here, and a copy that is short leaves its
    // folio dirty.
    if (inode.maybeZeroed.get(map.m_lblk) === true) inode.uncertain = true;
    return map.m_len;
  }
  const error = ext4_map_create_blocks(inode, map, flags);
  if (error !== 0) return error;
  if ((map.m_flags & (BH_New | BH_Unwritten)) === BH_New) orderData(inode, map, flags);
  return map.m_len;
}

/** fs/ext4/extents.c ext4_convert_unwritten_extents(): the I/O to these blocks is done. */
export function ext4_convert_unwritten_extents(inode: Inode, lblk: number, len: number): void {
  const map: MapBlocks = { m_lblk: lblk, m_len: len, m_flags: 0 };
  const end = lblk + len;
  while (map.m_lblk < end) {
    map.m_len = end - map.m_lblk;
    map.m_lblk += ext4_map_blocks(inode, map, EXT4_GET_BLOCKS_CONVERT);
  }
  assert(map.m_lblk === end, "a conversion goes no further than it was to");
}

/** fs/ext4/extents.c ext4_ext_remove_space(): free what is allocated in [lblk, lblk + len). */
export function ext4_ext_remove_space(inode: Inode, lblk: number, len: number): void {
  const { i_sb } = inode;
  assert(
    (inode.i_es_tree.next(lblk)?.start ?? Infinity) >= lblk + len,
    "blocks that are freed have been forgotten before",
  );
  for (const { start, end } of inode.i_extents.within(lblk, lblk + len)) {
    i_sb.s_freeclusters_counter += end - start;
    if (i_sb.s_journal) i_sb.s_mb_free_pending += end - start;
    freesOnDisk(inode, start, end);
  }
  inode.i_extents.delete(lblk, lblk + len);
  inode.maybeZeroed.delete(lblk, lblk + len);
  inode.zeroedOnDisk.delete(lblk, lblk + len);
}
