/**
 * What ext4 adds to writeback on the iomap path.
 *
 * Kernel:   fs/ext4/inode.c ext4_iomap_map_blocks() (series v2: ext4_iomap_map_writeback_range()),
 *           ext4_iomap_map_one_extent(); fs/ext4/page-io.c ext4_iomap_finish_ioend(), with the
 *           patch series applied
 * Left out: allocation that fails
 *
 * A whole delayed extent gets its blocks at once, whatever part of it is dirty. They are unwritten
 * until the I/O to them is done; then just the part that was written is converted.
 */
import { assert } from "../include/assert.ts";
import type { Ioend, WritepageContext } from "../include/iomap.ts";
import { BH_Delay, UNWRITTEN } from "../include/types.ts";
import type { Inode, MapBlocks } from "../include/types.ts";
import { ext4_mark_inode_dirty } from "./fsync.ts";
import { EXT4_GET_BLOCKS_CREATE_UNWRIT_EXT, ext4_map_blocks } from "./extents.ts";
import { ext4_end_io_end } from "./writeback.ts";

/** fs/ext4/inode.c MAX_WRITEPAGES_EXTENT_LEN: blocks that writeback maps at once. */
const MAX_WRITEPAGES_EXTENT_LEN = 2048;

/**
 * fs/ext4/inode.c ext4_iomap_map_blocks(): the mapping of the dirty bytes [offset, offset +
 * dirty_len), and what follows them up to the end of what is written back. 0 or -errno.
 *
 * @param blocks of the dirty bytes
 */
export function ext4_iomap_map_blocks(
  inode: Inode,
  wpc: WritepageContext,
  offset: number,
  dirty_len: number,
  blocks = dirty_len / inode.i_sb.s_blocksize,
): number {
  const { s_op, s_blocksize } = inode.i_sb;
  const { iomap } = wpc;
  if (
    iomap !== undefined &&
    offset >= iomap.offset &&
    offset < iomap.offset + iomap.length &&
    s_op.iomap_valid(inode, iomap)
  ) {
    return 0;
  }
  const index = offset / s_blocksize;
  assert(offset % s_blocksize === 0, "writeback maps from the beginning of a block on");
  const end = Math.floor(wpc.range_end / s_blocksize);
  const len = end > index + blocks ? end - index + 1 : blocks;
  const m_len = Math.min(MAX_WRITEPAGES_EXTENT_LEN, len);
  assert(m_len > 0, "what writeback maps is not empty");
  const map: MapBlocks = { m_lblk: index, m_len, m_flags: 0 };
  ext4_map_blocks(inode, map, 0);
  if ((map.m_flags & BH_Delay) !== 0) {
    const ret = ext4_map_blocks(inode, map, EXT4_GET_BLOCKS_CREATE_UNWRIT_EXT);
    if (ret < 0) return ret;
    assert((map.m_flags & BH_Delay) === 0, "what writeback has mapped has its blocks");
  }
  wpc.iomap = s_op.ext4_set_iomap(inode, map);
  return 0;
}

/**
 * The same in series v1, which takes the length of the dirty bytes for one in blocks: it maps, and
 * allocates of a delayed extent, never less than a thousand, whatever the range.
 */
export function ext4_iomap_map_blocks_of_bytes(
  inode: Inode,
  wpc: WritepageContext,
  offset: number,
  dirty_len: number,
): number {
  return ext4_iomap_map_blocks(inode, wpc, offset, dirty_len, dirty_len);
}

/** fs/ext4/page-io.c ext4_iomap_finish_ioend(): the bytes are on disk. */
export function ext4_iomap_finish_ioend(inode: Inode, ioend: Ioend): void {
  const { io_type, io_offset, io_size } = ioend;
  const { s_blocksize } = inode.i_sb;
  const end = io_offset + io_size;
  assert(io_offset >= 0 && end >= io_offset, "an ioend does not end before it begins");
  const blockEnd = Math.ceil(end / s_blocksize) * s_blocksize;
  inode.i_sb.s_op.writesToDisk(inode, io_offset - (io_offset % s_blocksize), blockEnd);
  if (io_type === UNWRITTEN) {
    const lblk = Math.floor(io_offset / s_blocksize);
    if (ext4_end_io_end(inode, lblk, Math.ceil(end / s_blocksize) - lblk)) return;
  }
  if (end > inode.i_disksize) inode.i_disksize = Math.min(end, inode.i_size);
  ext4_mark_inode_dirty(inode);
}
