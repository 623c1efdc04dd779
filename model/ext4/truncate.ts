/**
 * Truncation, and zeroing of blocks that are cut in two.
 *
 * Kernel:   fs/ext4/inode.c ext4_setattr(), ext4_truncate(), ext4_block_zero_range() (up to 7.1
 *           ext4_block_zero_page_range()), ext4_block_zero_eof(), ext4_zero_partial_blocks();
 *           fs/ext4/extents.c ext4_ext_truncate()
 * Left out: the orphan list, transactions
 */
import { assert } from "../include/assert.ts";
import { EFBIG } from "../include/errno.ts";
import { folio_create_buffers, mark_buffer_dirty } from "../fs/buffer.ts";
import { __filemap_get_folio, folio_pos, pageOf } from "../mm/folio.ts";
import { pagecache_isize_extended, truncate_pagecache } from "../mm/truncate.ts";
import {
  BH_Delay,
  BH_Mapped,
  BH_Unwritten,
  BH_Uptodate,
  EXT_MAX_BLOCKS,
} from "../include/types.ts";
import type { Inode } from "../include/types.ts";
import { ext4_mark_inode_dirty } from "./fsync.ts";
import { ext4_discard_preallocations } from "./mballoc.ts";
import { ext4_get_block_lookup } from "./get_block.ts";

/**
 * fs/ext4/inode.c ext4_block_do_zero_range() (up to 7.1 in ext4_block_zero_page_range()): zeros in
 * bytes [from, end) of one block, which is dirty afterwards. Nothing to do in a hole or a clean
 * unwritten block. The folio is brought in either way. What the block was, as BH_*; undefined where
 * there was nothing to do.
 */
function zeroBlock(inode: Inode, from: number, end: number): number | undefined {
  const folio = __filemap_get_folio(inode, pageOf(from), 0);
  const buffers = folio_create_buffers(inode, folio);
  const b = (from - folio_pos(folio)) >> inode.i_blkbits;
  assert(from < end, "what is zeroed is not empty");
  assert(b < buffers.length, "a block that is zeroed lies in its folio");
  if (((buffers[b] as number) & BH_Mapped) === 0) {
    ext4_get_block_lookup(inode, Math.floor(from / inode.i_sb.s_blocksize), folio, b);
    if (((buffers[b] as number) & BH_Mapped) === 0) return undefined;
  }
  const was = buffers[b]!;
  buffers[b]! |= BH_Uptodate;
  mark_buffer_dirty(inode, folio, b);
  inode.contents.delete(from, end);
  return was;
}

/** The end of the block that holds `from`, or of the range, whichever comes first. */
function endInBlock(inode: Inode, from: number, length: number): number {
  const size = inode.i_sb.s_blocksize;
  assert(length > 0, "what is zeroed is not empty");
  return from + Math.min(length, size - (from % size));
}

/**
 * fs/ext4/inode.c ext4_block_zero_page_range() until 7.1: zeros, of which a transaction waits for
 * the data.
 */
export function ext4_block_zero_range_ordered(inode: Inode, from: number, length: number): boolean {
  const end = endInBlock(inode, from, length);
  if (zeroBlock(inode, from, end) === undefined) return false;
  inode.i_sb.s_op.ext4_jbd2_inode_add_write(inode, from, end - from);
  return true;
}

/** fs/ext4/inode.c ext4_block_zero_range() since 7.2: zeros, and no more. */
export function ext4_block_zero_range(inode: Inode, from: number, length: number): boolean {
  return zeroBlock(inode, from, endInBlock(inode, from, length)) !== undefined;
}

/**
 * Zero the rest of the block that holds EOF, up to `end`, so that growing the file shows zeros.
 * Whether it was needed.
 */
export function zeroTail(inode: Inode, size: number, end = Infinity): boolean {
  if (size % inode.i_sb.s_blocksize === 0) return false;
  return inode.i_sb.s_op.ext4_block_zero_range(inode, size, end - size);
}

/**
 * fs/ext4/inode.c ext4_block_zero_eof() since 7.2: the same, and a transaction waits for the zeros
 * where they are written over data. What is delayed or unwritten yet shows nothing old after a
 * crash.
 */
export function ext4_block_zero_eof(inode: Inode, from: number, to = Infinity): boolean {
  if (from % inode.i_sb.s_blocksize === 0 || from >= to) return false;
  const end = endInBlock(inode, from, to - from);
  const was = zeroBlock(inode, from, end);
  if (was === undefined) return false;
  if ((was & (BH_Unwritten | BH_Delay)) === 0) {
    inode.i_sb.s_op.ext4_jbd2_inode_add_write(inode, from, end - from);
  }
  return true;
}

/**
 * fs/ext4/inode.c ext4_write_end(), ext4_da_do_write_end() until 7.1: that block and the head of
 * the block that holds `pos` are zeroed after the data.
 */
export function gapToZero(old_size: number, pos: number): number {
  return Math.max(0, pos - old_size);
}

/**
 * fs/ext4/inode.c ext4_zero_partial_blocks(): the head and the tail of the range that fill no
 * block.
 */
export function ext4_zero_partial_blocks(inode: Inode, lstart: number, length: number): void {
  const { s_op, s_blocksize } = inode.i_sb;
  assert(length > 0, "a range that is zeroed at its edges is not empty");
  const byte_end = lstart + length - 1;
  const partial_start = lstart % s_blocksize;
  const partial_end = byte_end % s_blocksize;
  const whole = partial_start === 0 && partial_end === s_blocksize - 1;
  if (Math.floor(lstart / s_blocksize) === Math.floor(byte_end / s_blocksize) && !whole) {
    s_op.ext4_block_zero_range(inode, lstart, length);
    return;
  }
  if (partial_start !== 0) s_op.ext4_block_zero_range(inode, lstart, s_blocksize);
  if (partial_end !== s_blocksize - 1) {
    s_op.ext4_block_zero_range(inode, byte_end - partial_end, partial_end + 1);
  }
}

/**
 * fs/ext4/inode.c ext4_truncate() and fs/ext4/extents.c ext4_ext_truncate(): free every block past
 * i_size.
 *
 * @param afterZeroing is called where the end of the last block, up to byte `end`, had to be zeroed
 */
export function ext4_truncate(inode: Inode, afterZeroing?: (end: number) => void): void {
  const { s_op, s_blocksize } = inode.i_sb;
  const last_block = Math.ceil(inode.i_size / s_blocksize);
  if (inode.i_size === 0) inode.allocatesOnClose = true;
  if (s_op.ext4_block_zero_eof(inode, inode.i_size)) afterZeroing?.(last_block * s_blocksize);
  inode.i_disksize = inode.i_size;
  ext4_mark_inode_dirty(inode);
  ext4_discard_preallocations(inode);
  s_op.ext4_es_remove_extent(inode, last_block, EXT_MAX_BLOCKS - last_block);
  assert(inode.i_es_tree.end <= last_block, "a truncation forgets all that is past EOF");
  s_op.ext4_ext_remove_space(inode, last_block, EXT_MAX_BLOCKS - last_block);
}

/**
 * The same with the patch series: nothing orders data on the iomap path, so the zeros are written
 * before the new size can be committed; else growing the file after a crash could show what was cut
 * off.
 */
export function ext4_truncate_write_tail(inode: Inode): void {
  ext4_truncate(inode, (end) => {
    inode.i_sb.s_op.writepages(inode, inode.i_size, end - 1);
  });
}

/** The journal hears of another size at once, and so does the page that held EOF. */
function setSize(inode: Inode, size: number): void {
  const oldsize = inode.i_size;
  inode.i_size = size;
  inode.i_disksize = size;
  ext4_mark_inode_dirty(inode);
  pagecache_isize_extended(inode, oldsize, size);
}

/** fs/ext4/inode.c ext4_setattr() with ATTR_SIZE. 0 or -EFBIG. */
export function ext4_setattr(inode: Inode, size: number): number {
  const { i_size, i_sb } = inode;
  if (size > i_size && size <= i_sb.s_maxbytes) i_sb.s_op.ext4_block_zero_eof(inode, i_size);
  return ext4_setattr_no_zero(inode, size);
}

/**
 * The same where growing and shrinking are apart: ext4_truncate_up() leaves in memory what lies past
 * EOF.
 */
export function ext4_setattr_apart(inode: Inode, size: number): number {
  const { i_size, i_sb } = inode;
  if (size <= i_size || size > i_sb.s_maxbytes) return ext4_setattr_no_zero(inode, size);
  i_sb.s_op.ext4_block_zero_eof(inode, i_size);
  setSize(inode, size);
  return 0;
}

/** The same in series v1, which does not zero the rest of the block that held EOF. */
export function ext4_setattr_no_zero(inode: Inode, size: number): number {
  const { s_op, s_maxbytes, s_blocksize } = inode.i_sb;
  if (size > s_maxbytes) return EFBIG;
  const oldsize = inode.i_size;
  if (size !== oldsize) setSize(inode, size);
  inode.contents.delete(Math.ceil(size / s_blocksize) * s_blocksize, Infinity);
  truncate_pagecache(inode, size);
  if (size <= oldsize) s_op.ext4_truncate(inode);
  assert(inode.i_disksize === inode.i_size, "the journal knows of a truncation at once");
  return 0;
}
