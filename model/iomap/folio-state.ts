/**
 * Which blocks of a folio are uptodate, and which are dirty.
 *
 * Kernel:   fs/iomap/buffered-io.c struct iomap_folio_state and the functions on it
 * Left out: the count of bytes under I/O (every write-out is waited for)
 *
 * A folio of one block has no such state, the flags of the folio say it all. One of more blocks
 * gets it when a write covers it in part; a folio that was written whole goes without until
 * something asks.
 */
import { assert } from "../include/assert.ts";
import { filemap_dirty_folio, folio_size } from "../mm/folio.ts";
import { IFS_DIRTY, IFS_UPTODATE } from "../include/types.ts";
import type { Folio, Inode } from "../include/types.ts";

/** Blocks of a folio. */
export function i_blocks_per_folio(inode: Inode, folio: Folio): number {
  return folio_size(folio) / inode.i_sb.s_blocksize;
}

/** fs/iomap/buffered-io.c ifs_alloc(): undefined for a folio of one block. */
export function ifs_alloc(inode: Inode, folio: Folio): Uint8Array | undefined {
  if (folio.ifs !== undefined) return folio.ifs;
  const nr_blocks = i_blocks_per_folio(inode, folio);
  if (nr_blocks <= 1) return undefined;
  assert(folio.buffers === undefined, "a folio has iomap_folio_state or buffers, never both");
  const ifs = new Uint8Array(nr_blocks);
  const state = (folio.uptodate ? IFS_UPTODATE : 0) | (folio.dirty ? IFS_DIRTY : 0);
  if (state !== 0) ifs.fill(state);
  folio.ifs = ifs;
  return ifs;
}

/** Set a bit for every block that has a byte in [off, off + len) of the folio. */
function setRange(inode: Inode, ifs: Uint8Array, off: number, len: number, bit: number): void {
  if (len === 0) return;
  const last = (off + len - 1) >> inode.i_blkbits;
  assert(last < ifs.length, "blocks that get a state lie in the folio");
  for (let b = off >> inode.i_blkbits; b <= last; b++) ifs[b]! |= bit;
}

/**
 * fs/iomap/buffered-io.c iomap_set_range_uptodate(): the folio is uptodate with the last of its
 * blocks.
 */
export function iomap_set_range_uptodate(
  inode: Inode,
  folio: Folio,
  off: number,
  len: number,
): void {
  const { ifs } = folio;
  if (ifs !== undefined) {
    setRange(inode, ifs, off, len, IFS_UPTODATE);
    if (!ifs.every((state) => (state & IFS_UPTODATE) !== 0)) return;
  }
  folio.uptodate = true;
}

/** fs/iomap/buffered-io.c iomap_set_range_dirty() */
export function iomap_set_range_dirty(inode: Inode, folio: Folio, off: number, len: number): void {
  if (folio.ifs !== undefined) setRange(inode, folio.ifs, off, len, IFS_DIRTY);
}

/** fs/iomap/buffered-io.c iomap_clear_range_dirty() over the whole folio */
export function clearDirtyBlocks(folio: Folio): void {
  const { ifs } = folio;
  if (ifs !== undefined) for (let b = 0; b < ifs.length; b++) ifs[b]! &= ~IFS_DIRTY;
}

/**
 * fs/iomap/buffered-io.c iomap_find_dirty_range(): the first run of dirty blocks in blocks [from,
 * end) of the folio; all of them where the folio has no state. Undefined where none is dirty.
 */
export function iomap_find_dirty_range(
  folio: Folio,
  from: number,
  end: number,
): { from: number; end: number } | undefined {
  const { ifs } = folio;
  if (from >= end) return undefined;
  if (ifs === undefined) return { from, end };
  const dirty = (b: number): boolean => ((ifs[b] as number) & IFS_DIRTY) !== 0;
  let first = from;
  while (first < end && !dirty(first)) first += 1;
  if (first === end) return undefined;
  let last = first + 1;
  while (last < end && dirty(last)) last += 1;
  return { from: first, end: last };
}

/** fs/iomap/buffered-io.c iomap_is_partially_uptodate(): bytes [from, to) of the folio. */
export function iomap_is_partially_uptodate(
  inode: Inode,
  folio: Folio,
  from: number,
  to: number,
): boolean {
  const { ifs } = folio;
  if (ifs === undefined) return false;
  const bits = inode.i_blkbits;
  const last = (Math.min(to, folio_size(folio)) - 1) >> bits;
  for (let b = from >> bits; b <= last; b++) {
    if (((ifs[b] as number) & IFS_UPTODATE) === 0) return false;
  }
  return true;
}

/** fs/iomap/buffered-io.c iomap_dirty_folio(): every block, also those past EOF. */
export function iomap_dirty_folio(inode: Inode, folio: Folio): void {
  ifs_alloc(inode, folio);
  iomap_set_range_dirty(inode, folio, 0, folio_size(folio));
  filemap_dirty_folio(inode, folio);
}

/**
 * fs/iomap/buffered-io.c iomap_release_folio(): a dirty folio may be dirty in part, so it keeps its
 * state.
 */
export function iomap_release_folio(_inode: Inode, folio: Folio): boolean {
  // The kernel does not ask for the release of a folio that has no state: whether it is dirty does
  // not matter then.
  if (folio.ifs === undefined) return true;
  if (folio.dirty) return false;
  folio.ifs = undefined;
  return true;
}

/**
 * fs/iomap/buffered-io.c iomap_invalidate_folio() of 6.12: only the whole folio forgets; blocks in
 * it stay dirty.
 */
export function iomap_invalidate_whole_folio(
  inode: Inode,
  folio: Folio,
  offset: number,
  length: number,
): void {
  if (offset !== 0 || length !== folio_size(folio)) return;
  inode.i_sb.s_op.folio_cancel_dirty(inode, folio);
  folio.ifs = undefined;
}

/**
 * fs/iomap/buffered-io.c iomap_invalidate_folio(): of a part, the blocks that lie wholly in it
 * become clean.
 */
export function iomap_invalidate_folio(
  inode: Inode,
  folio: Folio,
  offset: number,
  length: number,
): void {
  iomap_invalidate_whole_folio(inode, folio, offset, length);
  const { ifs } = folio;
  if (ifs === undefined) return;
  assert(offset + length <= folio_size(folio), "what is cut off a folio lies in it");
  const bits = inode.i_blkbits;
  const end = (offset + length) >> bits;
  for (let b = Math.ceil(offset / 2 ** bits); b < end; b++) ifs[b]! &= ~IFS_DIRTY;
}
