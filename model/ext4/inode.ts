/**
 * write_begin, write_end and page_mkwrite of the buffer_head path.
 *
 * Kernel:   fs/ext4/inode.c ext4_block_write_begin(), ext4_write_begin(), ext4_write_end(),
 *           ext4_da_write_begin(), ext4_da_write_end(), ext4_da_do_write_end(),
 *           ext4_page_mkwrite(); fs/buffer.c block_page_mkwrite(); fs/ext4/truncate.h
 *           ext4_truncate_failed_write()
 * Left out: inline data, encryption, verity, journal credits
 */
import { assert } from "../include/assert.ts";
import { ENOSPC } from "../include/errno.ts";
import {
  block_commit_write,
  block_write_end,
  bufferCount,
  firstBlock,
  folio_create_buffers,
  folio_zero_new_buffers,
} from "../fs/buffer.ts";
import { folio_next_pos, folio_pos, folio_size, write_begin_get_folio } from "../mm/folio.ts";
import { pagecache_isize_extended, truncate_pagecache } from "../mm/truncate.ts";
import type { GetBlock, WriteBegin } from "../include/operations.ts";
import {
  BH_Delay,
  BH_Dirty,
  BH_Mapped,
  BH_New,
  BH_Unwritten,
  BH_Uptodate,
  DELAYED,
} from "../include/types.ts";
import type { Folio, Inode } from "../include/types.ts";
import { ext4_da_get_block_prep } from "./get_block.ts";
import { ext4_mark_inode_dirty, ext4_update_inode_fsync_trans } from "./fsync.ts";
import { getBlockFor } from "./nonda.ts";
import { ext4_zero_partial_blocks } from "./truncate.ts";

/**
 * fs/ext4/inode.c ext4_block_write_begin(): map the blocks of bytes [from, to) of the folio and
 * bring in those that the write covers only in part. 0 or -errno.
 */
export function ext4_block_write_begin(
  inode: Inode,
  folio: Folio,
  from: number,
  to: number,
  get_block: GetBlock,
): number {
  const buffers = folio_create_buffers(inode, folio);
  const bits = inode.i_blkbits;
  assert(from <= to && to <= buffers.length << bits, "what a write prepares lies in its folio");
  const size = 1 << bits;
  const first = firstBlock(inode, folio);
  for (let b = from >> bits; b << bits < to; b++) {
    const block_start = b << bits;
    buffers[b]! &= ~BH_New;
    if (((buffers[b] as number) & BH_Mapped) === 0) {
      const error = get_block(inode, first + b, folio, b);
      if (error !== 0) {
        folio_zero_new_buffers(inode, folio, from, to);
        return error;
      }
      assert(((buffers[b] as number) & BH_Mapped) !== 0, "a block that a write covers has a place");
      if (((buffers[b] as number) & BH_New) !== 0) {
        if (folio.uptodate) buffers[b]! |= BH_Uptodate;
        continue;
      }
    }
    const partial = block_start < from || block_start + size > to;
    const onDisk = ((buffers[b] as number) & (BH_Delay | BH_Unwritten)) === 0;
    if (folio.uptodate || (partial && onDisk)) buffers[b]! |= BH_Uptodate;
  }
  return 0;
}

/** fs/ext4/inode.c ext4_update_inode_size(): both sizes grow together. */
export function ext4_update_inode_size(inode: Inode, newsize: number): void {
  if (newsize > inode.i_size) inode.i_size = newsize;
  if (newsize > inode.i_disksize) inode.i_disksize = newsize;
  ext4_mark_inode_dirty(inode);
}

/**
 * fs/ext4/truncate.h ext4_truncate_failed_write(): everything past EOF goes, with the blocks that a
 * failed write made.
 */
export function ext4_truncate_failed_write(inode: Inode): void {
  truncate_pagecache(inode, inode.i_size);
  inode.i_sb.s_op.ext4_truncate(inode);
}

/**
 * What a write that ended short past EOF owes: the blocks that it allocated there are freed, and
 * what fallocate(2) had put there before stays as it was.
 *
 * The kernel's buffer_head path frees both: deviations/short-write-frees-preallocation.ts.
 */
export function truncateFailedWrite(inode: Inode): void {
  ext4_truncate_failed_write(inode);
  const { i_sb, i_extents, pastEof } = inode;
  const eof = Math.ceil(inode.i_size / i_sb.s_blocksize);
  for (const { start, end, value } of pastEof) {
    const from = Math.max(start, eof);
    if (from >= end) continue;
    i_extents.set(from, end, value);
    i_sb.s_freeclusters_counter -= end - from;
    if (i_sb.s_journal) i_sb.s_mb_free_pending -= end - from;
  }
}

/**
 * What both kinds of write_begin do; they differ in the get_block function that the table holds
 * beside them. Where there is no space they try again as long as a commit may free some.
 */
function write_begin(inode: Inode, pos: number, len: number, get_block: GetBlock): WriteBegin {
  const { s_op } = inode.i_sb;
  for (let retries = 1; ; retries++) {
    const folio = write_begin_get_folio(inode, pos, len);
    const end = Math.min(pos + len, folio_next_pos(folio));
    const from = pos - folio_pos(folio);
    const to = end - folio_pos(folio);
    const error = ext4_block_write_begin(inode, folio, from, to, get_block);
    if (error === 0) return folio;
    if (end > inode.i_size) s_op.ext4_truncate_failed_write(inode);
    if (error !== ENOSPC || !s_op.ext4_should_retry_alloc(inode, retries)) return error;
  }
}

/** fs/ext4/inode.c ext4_write_begin(): blocks are allocated here. */
export function ext4_write_begin(inode: Inode, pos: number, len: number): WriteBegin {
  return write_begin(inode, pos, len, inode.i_sb.s_op.get_block);
}

/**
 * fs/ext4/inode.c ext4_da_write_begin(): space is reserved here, and blocks are chosen at
 * writeback; where it is short, they are allocated here.
 */
export function ext4_da_write_begin(inode: Inode, pos: number, len: number): WriteBegin {
  const get_block = getBlockFor(inode);
  inode.fellBack = get_block !== inode.i_sb.s_op.get_block;
  return write_begin(inode, pos, len, get_block);
}

const COVERED = "what was accepted of a write lies before EOF";

type WriteEnd = [inode: Inode, pos: number, len: number, copied: number, folio: Folio];

/**
 * What both kinds of write_end do that have allocated the blocks; `accept` takes what was copied
 * into the folio.
 */
function writeEnd(
  [inode, pos, len, copied, folio]: WriteEnd,
  accept: typeof block_write_end,
): number {
  const { s_op } = inode.i_sb;
  const accepted = accept(inode, folio, pos - folio_pos(folio), len, copied);
  const old_size = inode.i_size;
  ext4_update_inode_size(inode, s_op.sizeAfterWrite(inode, pos, accepted));
  pagecache_isize_extended(inode, old_size, pos);
  const zero_len = s_op.gapToZero(old_size, pos);
  if (zero_len > 0) ext4_zero_partial_blocks(inode, old_size, zero_len);
  assert(accepted === 0 || pos + accepted <= inode.i_size, COVERED);
  if (pos + len > inode.i_size) s_op.ext4_truncate_failed_write(inode);
  return accepted;
}

/** fs/ext4/inode.c ext4_write_end() */
export function ext4_write_end(...write: WriteEnd): number {
  return writeEnd(write, block_write_end);
}

/**
 * Unlike block_write_end() it commits not even nothing to a folio for which a copy was too short.
 */
function acceptJournalled(
  ...[inode, folio, start, len, copied]: Parameters<typeof block_write_end>
): number {
  if (copied === len || folio.uptodate) return block_write_end(inode, folio, start, len, copied);
  folio_zero_new_buffers(inode, folio, start, start + len);
  return 0;
}

/**
 * fs/ext4/inode.c ext4_journalled_write_end(): the data is in the transaction too, and fdatasync
 * waits for that.
 */
export function ext4_journalled_write_end(...write: WriteEnd): number {
  const accepted = writeEnd(write, acceptJournalled);
  const [inode] = write;
  ext4_update_inode_fsync_trans(inode);
  return accepted;
}

/** fs/ext4/inode.c ext4_da_should_update_i_disksize(): no writeback that allocates will do it. */
function ext4_da_should_update_i_disksize(inode: Inode, folio: Folio, offset: number): boolean {
  const state = (folio.buffers as Uint8Array)[offset >> inode.i_blkbits] as number;
  return (state & (BH_Mapped | BH_Delay | BH_Unwritten)) === BH_Mapped;
}

/** fs/ext4/inode.c ext4_da_write_end() and ext4_da_do_write_end() */
export function ext4_da_write_end(
  inode: Inode,
  pos: number,
  len: number,
  copied: number,
  folio: Folio,
): number {
  const { s_op } = inode.i_sb;
  if (inode.fellBack) return ext4_write_end(inode, pos, len, copied, folio);
  const start = pos - folio_pos(folio);
  const short = copied < len && !folio.uptodate ? 0 : copied;
  if (short < len) {
    const unused = short === 0 ? start - (start % inode.i_sb.s_blocksize) : start + short;
    s_op.releaseShortWrite(inode, folio, unused, start + len);
  }
  const accepted = block_write_end(inode, folio, start, len, short);
  const old_size = inode.i_size;
  const new_i_size = s_op.sizeAfterWrite(inode, pos, accepted);
  let disksize_changed = false;
  if (new_i_size > inode.i_size) {
    inode.i_size = new_i_size;
    const last = new_i_size - 1 - folio_pos(folio);
    if (accepted > 0 && ext4_da_should_update_i_disksize(inode, folio, last)) {
      inode.i_disksize = Math.max(inode.i_disksize, new_i_size);
      disksize_changed = true;
    }
  }
  assert(accepted === 0 || pos + accepted <= inode.i_size, COVERED);
  pagecache_isize_extended(inode, old_size, pos);
  const zero_len = s_op.gapToZero(old_size, pos);
  if (!disksize_changed && zero_len === 0) return accepted;
  if (inode.failure?.handle(pos) === true) {
    const status = s_op.countWithoutHandle(inode, accepted);
    if (status < 0) return status;
  }
  if (zero_len > 0) ext4_zero_partial_blocks(inode, old_size, zero_len);
  ext4_mark_inode_dirty(inode);
  return accepted;
}

/**
 * What a round of a delayed write comes to that has moved i_size, and has no memory for the handle
 * with which the journal would hear of it: its bytes are in the file, so they count. The inode is
 * in the journal with the next commit that it is part of.
 *
 * The kernel does not count them: deviations/uncounted-write-moves-size.ts.
 */
export function countWithoutHandle(_inode: Inode, accepted: number): number {
  return accepted;
}

/**
 * What a delayed write that ended short owes: the blocks that it reserved and put nothing into are
 * given back, and forgotten by the page cache, before anyone can see them. Bytes [from, to) of the
 * folio were prepared and not used.
 *
 * The kernel's buffer_head path has no such step: deviations/short-write-keeps-reservation.ts.
 */
export function releaseShortWrite(inode: Inode, folio: Folio, from: number, to: number): void {
  const buffers = folio.buffers as Uint8Array;
  const bits = inode.i_blkbits;
  const first = firstBlock(inode, folio);
  const fresh = BH_New | BH_Delay;
  assert(from < to && to <= folio_size(folio), "what a write leaves unused lies in its folio");
  for (let b = Math.ceil(from / 2 ** bits); b << bits < to; b++) {
    if (((buffers[b] as number) & fresh) !== fresh) continue;
    assert(inode.i_es_tree.get(first + b) === DELAYED, "a block that is given back was reserved");
    buffers[b]! &= ~(BH_Mapped | BH_New | BH_Delay | BH_Dirty);
    inode.i_sb.s_op.ext4_es_remove_extent(inode, first + b, 1);
  }
}

/** i_size after a write that put `copied` bytes at `pos`: a write of nothing does not move it. */
export function sizeAfterWrite(inode: Inode, pos: number, copied: number): number {
  return copied === 0 ? inode.i_size : Math.max(inode.i_size, pos + copied);
}

/** Bytes of the folio that lie before EOF. */
function insideSize(inode: Inode, folio: Folio): number {
  return Math.min(folio_size(folio), inode.i_size - folio_pos(folio));
}

/**
 * fs/buffer.c block_page_mkwrite() with __block_write_begin_int(): blocks for the whole folio up to
 * EOF. A page that is written through a mapping is uptodate already, so nothing is read or zeroed.
 */
export function ext4_da_page_mkwrite(inode: Inode, folio: Folio): number {
  const { s_op } = inode.i_sb;
  if (s_op.ext4_nonda_switch(inode.i_sb)) return allocateFolio(inode, folio, s_op.get_block_now);
  return getFolioBlocks(inode, folio, ext4_da_get_block_prep);
}

function getFolioBlocks(inode: Inode, folio: Folio, get_block: GetBlock): number {
  const end = insideSize(inode, folio);
  const error = ext4_block_write_begin(inode, folio, 0, end, get_block);
  if (error !== 0) return error;
  block_commit_write(inode, folio, 0, end);
  return 0;
}

/**
 * fs/ext4/inode.c ext4_page_mkwrite() without delayed allocation: nothing to do where all blocks
 * are mapped.
 */
export function ext4_page_mkwrite(inode: Inode, folio: Folio): number {
  return allocateFolio(inode, folio, inode.i_sb.s_op.get_block);
}

function allocateFolio(inode: Inode, folio: Folio, get_block: GetBlock): number {
  const { buffers } = folio;
  if (buffers !== undefined) {
    const blocks = Math.ceil(insideSize(inode, folio) / inode.i_sb.s_blocksize);
    let mapped = 0;
    for (let b = 0; b < blocks; b++) if (((buffers[b] as number) & BH_Mapped) !== 0) mapped += 1;
    if (mapped === Math.min(blocks, bufferCount(inode, folio))) return 0;
  }
  return getFolioBlocks(inode, folio, get_block);
}
