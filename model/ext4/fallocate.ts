/**
 * fallocate(2).
 *
 * Kernel:   fs/ext4/extents.c ext4_fallocate(), ext4_do_fallocate(), ext4_alloc_file_blocks(),
 *           ext4_zero_range(), ext4_collapse_range(), ext4_insert_range(),
 *           ext4_ext_shift_extents(); fs/ext4/inode.c ext4_punch_hole(),
 *           ext4_update_disksize_before_punch(); fs/open.c vfs_fallocate()
 * Left out: FALLOC_FL_WRITE_ZEROES, FALLOC_FL_UNSHARE_RANGE; what a zero_range without room leaves
 *           of written blocks that it did not come to: the kernel keeps what is on disk there,
 *           without what was dirty, and here they read as zeros
 */
import { assert } from "../include/assert.ts";
import { EFBIG, EINVAL } from "../include/errno.ts";
import { pagecache_isize_extended, truncate_pagecache } from "../mm/truncate.ts";
import { moveSources, movesOnDisk } from "./power-cut.ts";
import { DELAYED, EXT_MAX_BLOCKS, HOLE, PAGE_SIZE, UNWRITTEN } from "../include/types.ts";
import type { Operations } from "../include/operations.ts";
import type { Inode, MapBlocks } from "../include/types.ts";
import {
  EXT4_GET_BLOCKS_CONVERT_UNWRITTEN,
  EXT4_GET_BLOCKS_CREATE_UNWRIT_EXT,
  EXT4_GET_BLOCKS_NO_NORMALIZE,
  ext4_map_blocks,
} from "./extents.ts";
import { ext4_mark_inode_dirty, ext4_update_inode_fsync_trans } from "./fsync.ts";
import { ext4_discard_preallocations } from "./mballoc.ts";
import { ext4_update_inode_size } from "./inode.ts";
import { ext4_zero_partial_blocks } from "./truncate.ts";

type Allocation = Parameters<Operations["ext4_alloc_file_blocks"]>;

const roundDown = (n: number, unit: number): number => n - (n % unit);
const roundUp = (n: number, unit: number): number => Math.ceil(n / unit) * unit;

/** fs/ext4/ext4_extents.h EXT_UNWRITTEN_MAX_LEN: blocks of the longest unwritten extent. */
const EXT_UNWRITTEN_MAX_LEN = 2 ** 15 - 1;

/**
 * fs/ext4/extents.c ext4_alloc_file_blocks(), where nothing zeroes the rest of the block that held
 * EOF (series v1): blocks [lblk, end) allocated, unwritten where they were not written. 0, or
 * -ENOSPC with what could be allocated.
 *
 * @param zeroGap zeroes what EOF has moved over, by so many bytes from where it was
 */
export function ext4_alloc_file_blocks_no_zero(
  inode: Inode,
  lblk: number,
  end: number,
  new_size: number,
  flags: number,
  zeroGap?: typeof ext4_zero_partial_blocks,
): number {
  const { s_op, s_blocksize } = inode.i_sb;
  const old_size = inode.i_size;
  const map: MapBlocks = { m_lblk: lblk, m_len: 0, m_flags: 0 };
  if (end - lblk <= EXT_UNWRITTEN_MAX_LEN) flags |= EXT4_GET_BLOCKS_NO_NORMALIZE;
  for (let retries = 0; map.m_lblk < end;) {
    map.m_len = end - map.m_lblk;
    const made = ext4_map_blocks(inode, map, flags);
    if (made <= 0) {
      retries += 1;
      if (s_op.ext4_should_retry_alloc(inode, retries)) continue;
      return made;
    }
    retries = 0;
    map.m_lblk += made;
    assert(map.m_lblk <= end, "fallocate gets no more blocks than it asked for");
    ext4_update_inode_fsync_trans(inode);
    if (new_size === 0) continue;
    const epos = Math.min(map.m_lblk * s_blocksize, new_size);
    ext4_update_inode_size(inode, epos);
    pagecache_isize_extended(inode, old_size, epos);
    if (epos > old_size) zeroGap?.(inode, old_size, epos - old_size);
  }
  assert(inode.i_extents.coveredFrom(lblk) >= end, "fallocate leaves no hole in its range");
  return 0;
}

/**
 * fs/ext4/extents.c ext4_alloc_file_blocks() until 7.1: what was the last block may hold anything
 * after its EOF, and is zeroed as i_size moves on.
 */
export function ext4_alloc_file_blocks_zero_after(...allocation: Allocation): number {
  return ext4_alloc_file_blocks_no_zero(...allocation, ext4_zero_partial_blocks);
}

/** Whether the block that holds EOF is one of those in [lblk, end) that turn unwritten. */
export function eofTurnsUnwritten(...[inode, lblk, end, , flags]: Allocation): boolean {
  if ((flags & EXT4_GET_BLOCKS_CONVERT_UNWRITTEN) === 0) return false;
  const eof = Math.floor(inode.i_size / inode.i_sb.s_blocksize);
  return lblk <= eof && eof < end;
}

/**
 * fs/ext4/extents.c ext4_alloc_file_blocks() since 7.2: the rest of the block that holds EOF is
 * zeroed first. Not so where that block turns unwritten, which zeroes it for good; the kernel
 * forgets that (deviations/zero-range-loses-writes.ts).
 */
export function ext4_alloc_file_blocks(...allocation: Allocation): number {
  const [{ i_sb, i_size }, , , new_size] = allocation;
  if (new_size > i_size && !eofTurnsUnwritten(...allocation)) {
    i_sb.s_op.ext4_block_zero_eof(allocation[0], i_size);
  }
  return ext4_alloc_file_blocks_no_zero(...allocation);
}

/** The new size that a mode without KEEP_SIZE asks for; 0 where it asks for none. */
function newSize(inode: Inode, end: number, keep: boolean): number {
  return !keep && (end > inode.i_size || end > inode.i_disksize) ? end : 0;
}

/** fs/ext4/extents.c ext4_do_fallocate() */
export function ext4_do_fallocate(
  inode: Inode,
  offset: number,
  len: number,
  keep: boolean,
): number {
  const size = inode.i_sb.s_blocksize;
  const end = offset + len;
  const flags = EXT4_GET_BLOCKS_CREATE_UNWRIT_EXT;
  const start_lblk = Math.floor(offset / size);
  const last_lblk = Math.ceil(end / size);
  const new_size = newSize(inode, end, keep);
  return inode.i_sb.s_op.ext4_alloc_file_blocks(inode, start_lblk, last_lblk, new_size, flags);
}

/** fs/ext4/inode.c ext4_update_disksize_before_punch() */
export function ext4_update_disksize_before_punch(inode: Inode, offset: number, len: number): void {
  if (offset > inode.i_size) return;
  const size = Math.min(offset + len, inode.i_size);
  if (inode.i_disksize >= size) return;
  inode.i_disksize = size;
  ext4_mark_inode_dirty(inode);
}

/** Bytes [start, end), whole blocks that turn unwritten, read as zeros from now on. */
export function forgetZeroed(inode: Inode, start: number, end: number): void {
  inode.contents.delete(start, end);
}

/**
 * What zero_range owes where it fails: of blocks [start, end) it has dropped the page cache, so
 * nothing will write those that are still delayed, and nothing else would give back what is
 * reserved for them.
 *
 * The kernel has no such step: deviations/failed-zeroing-keeps-reservation.ts.
 */
export function releaseDropped(inode: Inode, start: number, end: number): void {
  const left = [...inode.i_es_tree.within(start, end)].filter(({ value }) => value === DELAYED);
  for (const extent of left) {
    inode.i_sb.s_op.ext4_es_remove_extent(inode, extent.start, extent.end - extent.start);
  }
}

/** Whether blocks [first, last) all are: neighbours of one state are one in the extent tree. */
function isUnwritten(inode: Inode, first: number, last: number): boolean {
  if (first >= last) return true;
  const extent = inode.i_extents.find(first);
  return extent?.value === UNWRITTEN && extent.end >= last;
}

/** Both forms of ext4_zero_range(): the blocks that are not wholly in the range are zeroed... */
function zeroRange(
  edges: "before" | "after",
  ...[inode, offset, len, keep]: Parameters<Operations["ext4_zero_range"]>
): number {
  const { s_op, s_blocksize: size } = inode.i_sb;
  const end = offset + len;
  const new_size = newSize(inode, end, keep);
  const flags = EXT4_GET_BLOCKS_CREATE_UNWRIT_EXT;
  const aligned = offset % size === 0 && end % size === 0;
  if (!aligned) {
    const start_lblk = Math.floor(offset / size);
    const last_lblk = Math.ceil(end / size);
    const error = s_op.ext4_alloc_file_blocks(inode, start_lblk, last_lblk, new_size, flags);
    if (error !== 0) return error;
    if (edges === "before") ext4_zero_partial_blocks(inode, offset, len);
  }
  s_op.ext4_update_disksize_before_punch(inode, offset, len);
  const [first, last] = [Math.ceil(offset / size), Math.floor(end / size)];
  s_op.forgetZeroed(inode, first * size, last * size, new_size);
  s_op.truncate_inode_pages_range(inode, offset, end - 1);
  const convert = flags | EXT4_GET_BLOCKS_CONVERT_UNWRITTEN;
  const error = s_op.ext4_alloc_file_blocks(inode, first, last, new_size, convert);
  if (error !== 0) s_op.releaseDropped(inode, first, last);
  else assert(isUnwritten(inode, first, last), "blocks that were zeroed are unwritten");
  if (error !== 0 || aligned) return error;
  if (edges === "after") ext4_zero_partial_blocks(inode, offset, len);
  if (new_size > 0) ext4_update_inode_size(inode, new_size);
  ext4_update_inode_fsync_trans(inode);
  return 0;
}

/** fs/ext4/extents.c ext4_zero_range() since 7.2: ...before the page cache is dropped. */
export const ext4_zero_range = zeroRange.bind(undefined, "before");

/** The same until 7.1: after it. */
export const ext4_zero_range_edges_last = zeroRange.bind(undefined, "after");

/** fs/ext4/inode.c ext4_punch_hole(): the blocks that lie wholly in bytes [offset, end). */
export function blocksOfHole(
  inode: Inode,
  offset: number,
  end: number,
): { start_lblk: number; end_lblk: number } {
  const size = inode.i_sb.s_blocksize;
  return { start_lblk: Math.ceil(offset / size), end_lblk: Math.floor(end / size) };
}

/**
 * fs/ext4/inode.c ext4_punch_hole() since 7.2, where a hole that comes to EOF or past it ends with
 * the block that holds EOF.
 *
 * @param ofEof bytes of the unit, block or page, with which a hole ends that goes past EOF
 * @param reaches bytes that the hole must have behind EOF for that
 * @param writesBack whether what is dirty of its range goes to disk before its blocks go
 */
export function ext4_punch_hole(
  inode: Inode,
  offset: number,
  length: number,
  ofEof = inode.i_sb.s_blocksize,
  reaches = 0,
  writesBack = false,
): number {
  const { s_op, s_blocksize: size, s_maxbytes } = inode.i_sb;
  if (offset >= inode.i_size || offset >= s_maxbytes) return 0;
  const asked = offset + length;
  const rounded = asked - inode.i_size >= reaches ? roundUp(inode.i_size, ofEof) : asked;
  const end = Math.min(rounded, s_maxbytes);
  const len = end - offset;
  assert(len > 0, "a hole that is punched is not empty");
  s_op.ext4_update_disksize_before_punch(inode, offset, len);
  s_op.truncate_inode_pages_range(inode, offset, end - 1);
  ext4_zero_partial_blocks(inode, offset, len);
  if (writesBack) s_op.writepages(inode, offset, end - 1);
  const { start_lblk, end_lblk } = s_op.blocksOfHole(inode, offset, end);
  if (end_lblk > start_lblk) {
    const hole_len = end_lblk - start_lblk;
    inode.contents.delete(start_lblk * size, end_lblk * size);
    ext4_discard_preallocations(inode);
    s_op.ext4_es_remove_extent(inode, start_lblk, hole_len);
    s_op.ext4_ext_remove_space(inode, start_lblk, hole_len);
    s_op.ext4_es_insert_extent(inode, start_lblk, hole_len, HOLE);
    assert(inode.i_es_tree.get(start_lblk) === HOLE, "a hole that was punched is known for one");
  }
  ext4_update_inode_fsync_trans(inode);
  return 0;
}

/**
 * The same in 6.19 to 7.1: a hole that ends at EOF is not rounded up. Ending with the block saves
 * zeroing its tail.
 */
export function ext4_punch_hole_past_eof(inode: Inode, offset: number, length: number): number {
  return ext4_punch_hole(inode, offset, length, inode.i_sb.s_blocksize, 1);
}

/** The same with the patch series as of October 2026. */
export function ext4_punch_hole_written_back(inode: Inode, offset: number, length: number): number {
  return ext4_punch_hole(inode, offset, length, inode.i_sb.s_blocksize, 0, true);
}

/** The same until 6.18: a hole past EOF ends with the page that holds EOF. */
export function ext4_punch_hole_page(inode: Inode, offset: number, length: number): number {
  return ext4_punch_hole(inode, offset, length, PAGE_SIZE, 1);
}

/** fs/ext4/extents.c ext4_collapse_range() */
export function ext4_collapse_range(inode: Inode, offset: number, len: number): number {
  const { s_op, s_blocksize: size } = inode.i_sb;
  const end = offset + len;
  if (offset % size !== 0 || len % size !== 0) return EINVAL;
  if (end >= inode.i_size) return EINVAL;
  const start = roundDown(offset, PAGE_SIZE);
  s_op.writepages(inode, start, offset);
  s_op.writepages(inode, end, Infinity);
  truncate_pagecache(inode, start);
  const start_lblk = offset / size;
  const end_lblk = end / size;
  ext4_discard_preallocations(inode);
  s_op.ext4_es_remove_extent(inode, start_lblk, EXT_MAX_BLOCKS - start_lblk);
  s_op.ext4_ext_remove_space(inode, start_lblk, end_lblk - start_lblk);
  assert(inode.i_es_tree.end <= start_lblk, "nothing is remembered of blocks that move");
  inode.i_extents.collapse(start_lblk, end_lblk);
  inode.maybeZeroed.collapse(start_lblk, end_lblk);
  inode.zeroedOnDisk.collapse(start_lblk, end_lblk);
  moveSources(inode.contents, end, -len);
  movesOnDisk(inode, end, -len);
  inode.i_size -= len;
  assert(inode.i_size > offset, "a range that collapses ends before EOF");
  inode.i_disksize = inode.i_size;
  ext4_mark_inode_dirty(inode);
  return 0;
}

/** fs/ext4/extents.c ext4_insert_range() */
export function ext4_insert_range(inode: Inode, offset: number, len: number): number {
  const { s_op, s_blocksize: size, s_maxbytes } = inode.i_sb;
  if (offset % size !== 0 || len % size !== 0) return EINVAL;
  if (offset >= inode.i_size) return EINVAL;
  if (len > s_maxbytes - inode.i_size) return EFBIG;
  const start = roundDown(offset, PAGE_SIZE);
  s_op.writepages(inode, start, Infinity);
  truncate_pagecache(inode, start);
  inode.i_size += len;
  inode.i_disksize += len;
  ext4_mark_inode_dirty(inode);
  const start_lblk = offset / size;
  ext4_discard_preallocations(inode);
  s_op.ext4_es_remove_extent(inode, start_lblk, EXT_MAX_BLOCKS - start_lblk);
  if (inode.i_extents.end > start_lblk && inode.i_extents.end + len / size > EXT_MAX_BLOCKS) {
    return EINVAL;
  }
  assert(inode.i_es_tree.end <= start_lblk, "nothing is remembered of blocks that move");
  inode.i_extents.insert(start_lblk, len / size);
  assert(inode.i_extents.end <= EXT_MAX_BLOCKS, "a block lies in the largest file");
  inode.maybeZeroed.insert(start_lblk, len / size);
  inode.zeroedOnDisk.insert(start_lblk, len / size);
  moveSources(inode.contents, offset, len);
  movesOnDisk(inode, offset, len);
  return 0;
}
