/**
 * Buffers: the state of each block of a folio.
 *
 * Kernel:   fs/buffer.c
 * Left out: b_blocknr, locks, the contents (a logical map of where the bytes came from stands for
 *           them)
 */
import { assert } from "../include/assert.ts";
import { filemap_dirty_folio, folio_size } from "../mm/folio.ts";
import {
  BH_Delay,
  BH_Dirty,
  BH_Mapped,
  BH_New,
  BH_Unwritten,
  BH_Uptodate,
} from "../include/types.ts";
import type { GetBlock } from "../include/operations.ts";
import type { Folio, Inode } from "../include/types.ts";
import { PAGE_SHIFT } from "../include/types.ts";

/** Blocks of a folio. */
export function bufferCount(inode: Inode, folio: Folio): number {
  return 1 << (folio.order + PAGE_SHIFT - inode.i_blkbits);
}

/** The first block of a folio, in blocks of the file. */
export function firstBlock(inode: Inode, folio: Folio): number {
  return folio.index * (1 << (PAGE_SHIFT - inode.i_blkbits));
}

/** fs/buffer.c create_empty_buffers(), unless the folio has buffers. */
export function folio_create_buffers(inode: Inode, folio: Folio): Uint8Array {
  if (folio.buffers !== undefined) return folio.buffers;
  assert(folio.ifs === undefined, "a folio has buffers or iomap_folio_state, never both");
  const buffers = new Uint8Array(bufferCount(inode, folio));
  const state = (folio.dirty ? BH_Dirty : 0) | (folio.uptodate ? BH_Uptodate : 0);
  if (state !== 0) buffers.fill(state);
  folio.buffers = buffers;
  return buffers;
}

/** fs/buffer.c mark_buffer_dirty(), which warns of a buffer that is not uptodate. */
export function mark_buffer_dirty(inode: Inode, folio: Folio, b: number): void {
  const buffers = folio.buffers as Uint8Array;
  assert((buffers[b]! & BH_Uptodate) !== 0, "a buffer that is made dirty is uptodate");
  buffers[b]! |= BH_Dirty;
  filemap_dirty_folio(inode, folio);
}

/** fs/buffer.c block_dirty_folio(): every buffer, also those past EOF. */
export function block_dirty_folio(inode: Inode, folio: Folio): void {
  const { buffers } = folio;
  if (buffers !== undefined) for (let b = 0; b < buffers.length; b++) buffers[b]! |= BH_Dirty;
  filemap_dirty_folio(inode, folio);
}

/**
 * fs/buffer.c folio_zero_new_buffers(): new buffers in [from, to) bytes of the folio hold zeros and
 * are dirty.
 */
export function folio_zero_new_buffers(inode: Inode, folio: Folio, from: number, to: number): void {
  const { buffers } = folio;
  if (buffers === undefined || from >= to) return;
  const first = from >> inode.i_blkbits;
  const last = (to - 1) >> inode.i_blkbits;
  assert(last < buffers.length, "new buffers that are zeroed lie in the folio");
  for (let b = first; b <= last; b++) {
    const state = buffers[b] as number;
    if ((state & BH_New) === 0) continue;
    buffers[b] = (state & ~BH_New) | (folio.uptodate ? 0 : BH_Uptodate);
    mark_buffer_dirty(inode, folio, b);
  }
}

/**
 * fs/buffer.c block_commit_write(): bytes [from, to) of the folio hold data. A commit of no bytes
 * in the middle of a block marks that block all the same, as the kernel does.
 */
export function block_commit_write(inode: Inode, folio: Folio, from: number, to: number): void {
  const { buffers } = folio;
  if (buffers === undefined) return;
  const bits = inode.i_blkbits;
  assert(from <= to && to <= buffers.length << bits, "what is committed to a folio lies in it");
  const size = 1 << bits;
  let partial = false;
  for (let b = 0; b < buffers.length; b++) {
    const state = buffers[b] as number;
    const block_start = b << bits;
    if (block_start + size <= from || block_start >= to) {
      if ((state & BH_Uptodate) === 0) partial = true;
      buffers[b] = state & ~BH_New;
    } else {
      buffers[b] = (state & ~BH_New) | BH_Uptodate;
      mark_buffer_dirty(inode, folio, b);
    }
  }
  if (!partial) folio.uptodate = true;
}

/**
 * fs/buffer.c block_write_end(): accept `copied` of the `len` bytes prepared at `start` of the
 * folio. Where the folio is not uptodate a short copy is rejected whole, since a block written in
 * part cannot be told from one not read. Returns the bytes accepted.
 */
export function block_write_end(
  inode: Inode,
  folio: Folio,
  start: number,
  len: number,
  copied: number,
): number {
  assert(copied <= len, "no more is copied than was prepared");
  let accepted = copied;
  if (copied < len) {
    if (!folio.uptodate) accepted = 0;
    folio_zero_new_buffers(inode, folio, start + accepted, start + len);
  }
  block_commit_write(inode, folio, start, start + accepted);
  return accepted;
}

/**
 * fs/buffer.c block_invalidate_folio(): forget the blocks that lie wholly in [offset, offset +
 * length).
 */
export function block_invalidate_folio(
  inode: Inode,
  folio: Folio,
  offset: number,
  length: number,
): void {
  const { buffers } = folio;
  if (buffers === undefined) return;
  assert(offset + length <= folio_size(folio), "what is cut off a folio lies in it");
  const bits = inode.i_blkbits;
  const first = Math.ceil(offset / 2 ** bits);
  const end = (offset + length) >> bits;
  for (let b = first; b < end; b++) {
    buffers[b]! &= ~(BH_Dirty | BH_Mapped | BH_New | BH_Delay | BH_Unwritten);
  }
  if (length === folio_size(folio)) try_to_free_buffers(inode, folio);
}

/**
 * fs/buffer.c try_to_free_buffers(): false where a buffer is dirty. A dirty folio with clean
 * buffers becomes clean.
 */
export function try_to_free_buffers(inode: Inode, folio: Folio): boolean {
  const { buffers } = folio;
  if (buffers === undefined) return true;
  for (let b = 0; b < buffers.length; b++) {
    if (((buffers[b] as number) & BH_Dirty) !== 0) return false;
  }
  folio.buffers = undefined;
  if (folio.dirty) inode.i_sb.s_op.folio_cancel_dirty(inode, folio);
  assert(!folio.dirty, "a folio is clean once all its buffers are, and gone");
  return true;
}

/**
 * fs/buffer.c block_read_full_folio(), and ext4_mpage_readpages() where the folio has no buffers
 * yet: afterwards the whole folio is uptodate. A written block that had no mapping gets one; holes
 * and unwritten blocks read as zero.
 */
export function block_read_full_folio(inode: Inode, folio: Folio, get_block: GetBlock): void {
  const { buffers } = folio;
  assert(folio.ifs === undefined, "what reads buffers meets no iomap_folio_state");
  folio.uptodate = true;
  if (buffers === undefined) return;
  const first = firstBlock(inode, folio);
  const lblock = Math.ceil(inode.i_size / inode.i_sb.s_blocksize);
  for (let b = 0; b < buffers.length; b++) {
    const state = buffers[b] as number;
    if ((state & BH_Uptodate) !== 0) continue;
    if ((state & BH_Mapped) === 0 && first + b < lblock) get_block(inode, first + b, folio, b);
    buffers[b]! |= BH_Uptodate;
  }
}

/**
 * fs/buffer.c block_is_partially_uptodate(): whether the blocks of bytes [from, to) of a folio that
 * is not uptodate as a whole are. A range from its first to its last block never counts.
 */
export function block_is_partially_uptodate(
  inode: Inode,
  folio: Folio,
  from: number,
  to: number,
): boolean {
  const { buffers } = folio;
  if (buffers === undefined) return false;
  const bits = inode.i_blkbits;
  const size = 1 << bits;
  if (from < size && to > folio_size(folio) - size) return false;
  for (let b = from >> bits; b << bits < to; b++) {
    if (((buffers[b] as number) & BH_Uptodate) === 0) return false;
  }
  return true;
}
