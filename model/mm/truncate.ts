/**
 * Taking folios out of the page cache.
 *
 * Kernel:   mm/truncate.c truncate_inode_pages_range(), truncate_inode_partial_folio(),
 *           truncate_pagecache(), truncate_pagecache_range(), pagecache_isize_extended(),
 *           mapping_evict_folio(), invalidate_mapping_pages(), invalidate_inode_pages2_range()
 * Left out: unmapping (every mapping is gone when an operation returns), exceptional entries
 *
 * A large folio that is cut in two loses its buffers and is split, unless a dirty buffer is left in
 * it: then it stays whole.
 */
import { assert } from "../include/assert.ts";
import { PAGE_SIZE, UNWRITTEN } from "../include/types.ts";
import type { Folio, Inode } from "../include/types.ts";
import {
  filemap_get_folio,
  filemap_remove_folio,
  folioIndexAfter,
  folio_next_index,
  folio_next_pos,
  folio_pos,
  folio_size,
  folio_split,
  pageOf,
  readFromDisk,
} from "./folio.ts";

/** mm/truncate.c try_folio_split_or_unmap(): false where the folio cannot lose its buffers. */
function trySplit(inode: Inode, folio: Folio, at: number): boolean {
  if (!inode.i_sb.s_op.release_folio(inode, folio)) return false;
  folio_split(inode, folio, at);
  return true;
}

/**
 * Cutting zeroes bytes [start, end) of the folio. That the disk has zeros there too is left to the
 * caller, who has nothing to do for an unwritten block, though the folio may hold what the device
 * refused.
 */
function zeroUnwritten(inode: Inode, start: number, end: number): void {
  const size = inode.i_sb.s_blocksize;
  const blocks = inode.i_extents.within(Math.floor(start / size), Math.ceil(end / size));
  for (const extent of blocks) {
    if (extent.value !== UNWRITTEN) continue;
    inode.contents.delete(Math.max(start, extent.start * size), Math.min(end, extent.end * size));
  }
}

/**
 * mm/truncate.c truncate_inode_partial_folio(): cut bytes [start, end] out of a folio. False where
 * the folio stays whole and dirty, so that the caller must not remove it.
 */
function truncate_inode_partial_folio(
  inode: Inode,
  folio: Folio,
  start: number,
  end: number,
): boolean {
  const pos = folio_pos(folio);
  const size = folio_size(folio);
  const offset = Math.max(start - pos, 0);
  const length = pos + size <= end ? size - offset : end + 1 - pos - offset;
  assert(length > 0, "what is cut out of a folio is not empty");
  assert(offset + length <= size, "what is cut out of a folio ends in it");
  if (length === size) {
    filemap_remove_folio(inode, folio);
    return true;
  }
  zeroUnwritten(inode, pos + offset, pos + offset + length);
  inode.i_sb.s_op.invalidate_folio(inode, folio, offset, length);
  if (folio.order === 0) return true;
  if (trySplit(inode, folio, pageOf(pos + offset))) {
    if (offset + length === size) return true;
    const at = pageOf(pos + offset + length);
    const second = filemap_get_folio(inode, at);
    if (second !== undefined && second.order > 0) trySplit(inode, second, at);
    return true;
  }
  if (folio.dirty) return false;
  filemap_remove_folio(inode, folio);
  return true;
}

/** Remove the folios from number `first` to before `last`, whatever their state. */
function splice(inode: Inode, first: number, last: number): void {
  if (first === last) return;
  assert(first < last && last <= inode.i_mapping.length, "only cached folios are removed");
  const [from, to] = [inode.i_mapping[first] as Folio, inode.i_mapping[last - 1] as Folio];
  readFromDisk(inode, folio_pos(from), folio_next_pos(to));
  inode.i_mapping.splice(first, last - first);
}

/** Remove the folios that lie wholly in pages [start, end). */
function removeWhole(inode: Inode, start: number, end: number): void {
  const { i_mapping } = inode;
  let first = folioIndexAfter(i_mapping, start);
  if (first < i_mapping.length && (i_mapping[first] as Folio).index < start) first += 1;
  let last = first;
  while (last < i_mapping.length && folio_next_index(i_mapping[last] as Folio) <= end) last += 1;
  splice(inode, first, last);
}

/**
 * mm/truncate.c truncate_inode_pages_range(): bytes [lstart, lend], lend Infinity for the end of
 * the file.
 */
export function truncate_inode_pages_range(inode: Inode, lstart: number, lend: number): void {
  assert(lstart <= lend, "what is cut out of the page cache is not empty");
  let start = Math.ceil(lstart / PAGE_SIZE);
  let end = pageOf(lend + 1);
  removeWhole(inode, start, end);

  let same_folio = pageOf(lstart) === pageOf(lend);
  const first = filemap_get_folio(inode, pageOf(lstart));
  if (first !== undefined) {
    same_folio = lend < folio_next_pos(first);
    const { index } = first;
    const next = folio_next_index(first);
    if (!truncate_inode_partial_folio(inode, first, lstart, lend)) {
      start = next;
      if (same_folio) end = index;
    }
  }
  if (!same_folio) {
    const last = filemap_get_folio(inode, pageOf(lend));
    if (last !== undefined) {
      const { index } = last;
      if (!truncate_inode_partial_folio(inode, last, lstart, lend)) end = index;
    }
  }
  if (start < end) removeTouched(inode, start, end);
}

/** Remove every folio that has a page in [start, end). */
function removeTouched(inode: Inode, start: number, end: number): void {
  const { i_mapping } = inode;
  const first = folioIndexAfter(i_mapping, start);
  let last = first;
  while (last < i_mapping.length && (i_mapping[last] as Folio).index < end) last += 1;
  splice(inode, first, last);
}

/** mm/truncate.c truncate_pagecache() */
export function truncate_pagecache(inode: Inode, newsize: number): void {
  inode.i_sb.s_op.truncate_inode_pages_range(inode, newsize, Infinity);
}

/**
 * mm/truncate.c pagecache_isize_extended(): i_size has moved from `from` to `to` or further. In a
 * page of several blocks the one that held EOF is looked up, to be told of its new blocks. What is
 * done to it cannot be seen here: a mapping that could be written to is gone, and bytes past EOF are
 * zeros.
 */
export function pagecache_isize_extended(inode: Inode, from: number, to: number): void {
  const bsize = inode.i_sb.s_blocksize;
  const rounded_from = Math.ceil(from / bsize) * bsize;
  if (bsize >= PAGE_SIZE || to <= rounded_from || rounded_from % PAGE_SIZE === 0) return;
  filemap_get_folio(inode, pageOf(from));
}

const RELEASED = "nothing is kept of the blocks of a folio that was released";

function isReleased({ buffers, ifs }: Folio): boolean {
  return buffers === undefined && ifs === undefined;
}

/**
 * mm/truncate.c invalidate_mapping_pages(): clean folios that lie wholly in the pages of [start,
 * end] go, dirty ones stay.
 */
export function invalidate_mapping_pages(inode: Inode, start = 0, end = Infinity): void {
  const last = pageOf(end);
  for (const folio of inode.i_mapping.slice(folioIndexAfter(inode.i_mapping, pageOf(start)))) {
    if (folio.index > last) return;
    if (folio.index < pageOf(start) || folio_next_index(folio) - 1 > last) continue;
    if (folio.dirty || !inode.i_sb.s_op.release_folio(inode, folio)) continue;
    assert(isReleased(folio), RELEASED);
    filemap_remove_folio(inode, folio);
  }
}

/**
 * mm/truncate.c invalidate_inode_pages2_range(): every folio that has a page of [start, end] goes,
 * as a whole. False where one stays because something in it is dirty.
 */
export function invalidate_inode_pages2_range(inode: Inode, start: number, end: number): boolean {
  assert(start <= end, "what leaves the page cache is not empty");
  let gone = true;
  for (const folio of inode.i_mapping.slice(folioIndexAfter(inode.i_mapping, pageOf(start)))) {
    if (folio.index > pageOf(end)) break;
    if (!inode.i_sb.s_op.release_folio(inode, folio) || folio.dirty) {
      gone = false;
      continue;
    }
    assert(isReleased(folio), RELEASED);
    filemap_remove_folio(inode, folio);
  }
  return gone;
}
