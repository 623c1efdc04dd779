/**
 * The get_block functions: from a block of the file to the state of a buffer.
 *
 * Kernel:   fs/ext4/inode.c _ext4_get_block(), ext4_get_block(), ext4_get_block_unwritten(),
 *           ext4_da_get_block_prep(), ext4_da_map_blocks(), ext4_insert_delayed_blocks()
 */
import {
  BH_Delay,
  BH_Mapped,
  BH_New,
  BH_Unwritten,
  DELAYED,
  HOLE,
  UNWRITTEN,
  WRITTEN,
} from "../include/types.ts";
import type { Folio, Inode, MapBlocks } from "../include/types.ts";
import {
  EXT4_GET_BLOCKS_CREATE,
  EXT4_GET_BLOCKS_CREATE_UNWRIT_EXT,
  endAtBreak,
  ext4_map_blocks,
  ext4_map_query_blocks,
} from "./extents.ts";
import { ext4_es_lookup_extent } from "./extents_status.ts";

/** fs/ext4/inode.c ext4_update_bh_state(): the flags of a mapping replace those of the buffer. */
function setBufferState(folio: Folio, b: number, flags: number): void {
  const buffers = folio.buffers as Uint8Array;
  const kept = (buffers[b] as number) & ~(BH_Mapped | BH_New | BH_Unwritten);
  buffers[b] = kept | (flags & (BH_Mapped | BH_New | BH_Unwritten));
}

function getBlock(inode: Inode, lblk: number, folio: Folio, b: number, flags: number): number {
  const map: MapBlocks = { m_lblk: lblk, m_len: 1, m_flags: 0 };
  const mapped = ext4_map_blocks(inode, map, flags);
  if (mapped > 0) setBufferState(folio, b, map.m_flags);
  return Math.min(mapped, 0);
}

/** fs/ext4/inode.c ext4_get_block() with create 0. */
export function ext4_get_block_lookup(inode: Inode, lblk: number, folio: Folio, b: number): number {
  return getBlock(inode, lblk, folio, b, 0);
}

/** fs/ext4/inode.c ext4_get_block() with create 1: written blocks at once. */
export function ext4_get_block(inode: Inode, lblk: number, folio: Folio, b: number): number {
  return getBlock(inode, lblk, folio, b, EXT4_GET_BLOCKS_CREATE);
}

/**
 * fs/ext4/inode.c ext4_get_block_unwritten(): unwritten blocks at once. They come back new, also
 * those that were there, so that they are zeroed where a write covers them in part.
 */
export function ext4_get_block_unwritten(
  inode: Inode,
  lblk: number,
  folio: Folio,
  b: number,
): number {
  const error = getBlock(inode, lblk, folio, b, EXT4_GET_BLOCKS_CREATE_UNWRIT_EXT);
  const buffers = folio.buffers as Uint8Array;
  if (error === 0 && (buffers[b]! & BH_Unwritten) !== 0) buffers[b]! |= BH_New;
  return error;
}

/** fs/ext4/inode.c ext4_da_map_blocks(): what is there, or a new reservation. 0 or -ENOSPC. */
export function ext4_da_map_blocks(inode: Inode, map: MapBlocks): number {
  const es = ext4_es_lookup_extent(inode, map.m_lblk);
  if (es !== undefined) {
    map.m_len = Math.min(map.m_len, es.end - map.m_lblk);
    if (es.value !== HOLE) {
      if (es.value === DELAYED) map.m_flags = BH_Delay;
      if (es.value === WRITTEN) map.m_flags = BH_Mapped;
      if (es.value === UNWRITTEN) map.m_flags = BH_Unwritten;
      if (es.value !== DELAYED) endAtBreak(inode, map);
      return 0;
    }
  } else {
    ext4_map_query_blocks(inode, map);
    if (map.m_flags !== 0) return 0;
  }
  const { s_op } = inode.i_sb;
  const error = s_op.ext4_da_reserve_space(inode, map.m_len);
  if (error !== 0) return error;
  s_op.ext4_es_insert_delayed_extent(inode, map.m_lblk, map.m_len);
  map.m_flags = BH_Delay | BH_New;
  return 0;
}

/**
 * fs/ext4/inode.c ext4_da_get_block_prep(): delayed and unwritten blocks come back mapped and new,
 * so that they are zeroed where a write covers them in part and looked up only once.
 */
export function ext4_da_get_block_prep(
  inode: Inode,
  lblk: number,
  folio: Folio,
  b: number,
): number {
  const map: MapBlocks = { m_lblk: lblk, m_len: 1, m_flags: 0 };
  const error = inode.i_sb.s_op.ext4_da_map_blocks(inode, map);
  if (error !== 0) return error;
  if ((map.m_flags & BH_Delay) !== 0) {
    (folio.buffers as Uint8Array)[b]! |= BH_Mapped | BH_New | BH_Delay;
    return 0;
  }
  setBufferState(folio, b, map.m_flags);
  if ((map.m_flags & BH_Unwritten) !== 0) (folio.buffers as Uint8Array)[b]! |= BH_New | BH_Mapped;
  return 0;
}
