/**
 * Writeback: delayed blocks get a place, unwritten ones get data, dirty buffers get clean.
 *
 * Kernel:   fs/ext4/inode.c ext4_do_writepages(), mpage_prepare_extent_to_map(),
 *           mpage_process_page_bufs(), mpage_map_one_extent(), mpage_map_and_submit_extent(),
 *           mpage_submit_folio(); fs/ext4/page-io.c ext4_bio_write_folio(), ext4_end_io_end()
 * Left out: the two passes (folios that need no mapping first: the order cannot be seen once all is
 *           waited for), I/O errors but those of a device without room (subjects/thin.ts),
 *           allocation that fails half-way
 *
 * The walk stops at the first dirty folio that reaches EOF or ends there. Buffers of that folio
 * past EOF lose their dirty bit without getting blocks; dirty folios wholly past EOF behind it stay
 * as they are.
 */
import { assert } from "../include/assert.ts";
import { EIO } from "../include/errno.ts";
import { bufferCount, firstBlock, folio_create_buffers } from "../fs/buffer.ts";
import { filemap_end_dropbehind } from "../mm/filemap.ts";
import { dirtyFolios, folio_next_pos, folio_pos, folio_size } from "../mm/folio.ts";
import {
  BH_Delay,
  BH_Dirty,
  BH_Mapped,
  BH_New,
  BH_Unwritten,
  BH_Uptodate,
} from "../include/types.ts";
import type { Folio, Inode, MapBlocks } from "../include/types.ts";
import { ext4_mark_inode_dirty } from "./fsync.ts";
import {
  EXT4_GET_BLOCKS_CREATE,
  EXT4_GET_BLOCKS_CREATE_UNWRIT_EXT,
  EXT4_GET_BLOCKS_IO_SUBMIT,
  ext4_convert_unwritten_extents,
  ext4_map_blocks,
} from "./extents.ts";

/** fs/ext4/ext4.h: the end of the I/O is left to a worker, which converts its blocks. */
const EXT4_IO_END_UNWRITTEN = 1;

/** struct ext4_io_end: I/O that ends together, as far as it matters. */
interface io_end {
  /** EXT4_IO_END_UNWRITTEN, or 0. */
  flag: number;
  /** Folios with PG_dropbehind in it that needed no mapping; undefined where it takes none. */
  folios: Folio[] | undefined;
}

/**
 * fs/ext4/inode.c mpage_map_one_extent() with dioread_nolock: new blocks are unwritten until the
 * I/O to them is done, so a crash shows no stale data; I/O completion then converts them.
 */
export function mpage_map_one_extent_nolock(inode: Inode, map: MapBlocks): number {
  const end = map.m_lblk + map.m_len;
  const made = ext4_map_blocks(inode, map, EXT4_GET_BLOCKS_CREATE_UNWRIT_EXT);
  assert(made > 0 && map.m_lblk + made <= end, "writeback maps no more than it asked for");
  ext4_end_io_end(inode, map.m_lblk, made);
  return EXT4_IO_END_UNWRITTEN;
}

/**
 * fs/ext4/page-io.c ext4_end_io_end(), ext4_end_bio(): the I/O to these blocks is done. Those whose
 * data the device has refused stay unwritten, and the next fsync says so. Whether there was one.
 */
export function ext4_end_io_end(inode: Inode, lblk: number, len: number): boolean {
  const { refuses, refused } = inode;
  refused.delete(lblk, lblk + len);
  if (refuses === undefined) {
    ext4_convert_unwritten_extents(inode, lblk, len);
    return false;
  }
  let failed = false;
  for (let block = lblk; block < lblk + len; block++) {
    if (!refuses.block(block)) {
      ext4_convert_unwritten_extents(inode, block, 1);
      continue;
    }
    refused.set(block, block + 1, true);
    inode.wb_err = EIO;
    failed = true;
  }
  return failed;
}

/**
 * The data of buffer `b` was refused. The folio is clean and keeps it for as long as it stays; what
 * is written over it later has to convert the block, so the buffer is as unwritten as the block is.
 *
 * The kernel's buffer_head path forgets that: deviations/rewrite-after-error-is-lost.ts.
 */
export function bufferRefused(_inode: Inode, folio: Folio, b: number): void {
  (folio.buffers as Uint8Array)[b]! |= BH_Unwritten;
}

/** What becomes of the folio's buffers for which this writeback had no room. */
function endRefused(inode: Inode, folio: Folio): void {
  if (inode.refuses === undefined) return;
  const first = firstBlock(inode, folio);
  for (const { start, end } of inode.refused.within(first, first + bufferCount(inode, folio))) {
    for (let lblk = start; lblk < end; lblk++) {
      if (inode.refuses.block(lblk)) inode.i_sb.s_op.bufferRefused(inode, folio, lblk - first);
    }
  }
}

/** fs/ext4/inode.c mpage_map_one_extent() with dioread_lock: blocks are written extents at once. */
export function mpage_map_one_extent_lock(inode: Inode, map: MapBlocks): number {
  const end = map.m_lblk + map.m_len;
  const made = ext4_map_blocks(inode, map, EXT4_GET_BLOCKS_CREATE | EXT4_GET_BLOCKS_IO_SUBMIT);
  assert(made > 0 && map.m_lblk + made <= end, "writeback maps no more than it asked for");
  return 0;
}

/**
 * Map the run of dirty buffers from `b` on that wait for the same kind of blocks. The buffer after
 * the run.
 */
function mapRun(inode: Inode, folio: Folio, b: number, end: number, io: io_end): number {
  const buffers = folio.buffers as Uint8Array;
  const waiting = BH_Dirty | BH_Mapped | BH_Delay | BH_Unwritten;
  const state = (buffers[b] as number) & waiting;
  let last = b + 1;
  while (last < end && ((buffers[last] as number) & waiting) === state) last += 1;
  const first = firstBlock(inode, folio);
  let lblk = first + b;
  while (lblk < first + last) {
    const map: MapBlocks = { m_lblk: lblk, m_len: first + last - lblk, m_flags: 0 };
    io.flag |= inode.i_sb.s_op.mpage_map_one_extent(inode, map);
    assert(map.m_len > 0, "writeback goes on with every extent");
    lblk += map.m_len;
  }
  for (let i = b; i < last; i++) buffers[i]! &= ~(BH_Delay | BH_Unwritten);
  return last;
}

/** Get blocks for the folio's buffers before `end` that need some. Whether there was one. */
function mapBuffers(inode: Inode, folio: Folio, end: number, io: io_end): boolean {
  const buffers = folio.buffers as Uint8Array;
  let mapped = false;
  for (let b = 0; b < end;) {
    const state = buffers[b] as number;
    const dirty = (state & (BH_Dirty | BH_Mapped)) === (BH_Dirty | BH_Mapped);
    if (dirty && (state & (BH_Delay | BH_Unwritten)) !== 0) {
      b = mapRun(inode, folio, b, end, io);
      mapped = true;
    } else {
      b += 1;
    }
  }
  return mapped;
}

/**
 * Data goes to a block for which the device had no room the last time, and which nobody marks
 * written.
 */
function refuseAgain(inode: Inode, lblk: number): void {
  const { refuses, refused } = inode;
  const again = refuses === undefined ? false : refuses.again(lblk);
  if (again === false) refused.set(lblk, lblk + 1, false);
  if (again === true) inode.wb_err = EIO;
  if (again !== undefined) return;
  inode.mayHaveError = true;
  // Whether it said so decides whether a direct write goes through the page cache.
  inode.uncertain = true;
}

/**
 * fs/ext4/page-io.c ext4_bio_write_folio(), with the length that mpage_submit_folio() hands it:
 * buffers with a place are written and clean, those past `len` are clean without having been
 * written, those that still wait stay dirty.
 */
export function submitFolio(inode: Inode, folio: Folio): void {
  const size = folio_size(folio);
  const len = folio_pos(folio) + size > inode.i_size ? inode.i_size % size : size;
  const { buffers } = folio;
  assert(buffers !== undefined, "a dirty folio that is written has buffers");
  const bits = inode.i_blkbits;
  let dirty = false;
  for (let b = 0; b < buffers.length; b++) {
    const state = buffers[b] as number;
    if (b << bits >= len) {
      buffers[b] = (state & ~BH_Dirty) | BH_Uptodate;
    } else if ((state & BH_Mapped) === 0) {
      buffers[b] = state & ~BH_Dirty;
    } else if ((state & (BH_Delay | BH_Unwritten)) !== 0) {
      if ((state & BH_Dirty) !== 0) dirty = true;
    } else if ((state & BH_Dirty) !== 0) {
      buffers[b] = state & ~(BH_Dirty | BH_New);
      const start = folio_pos(folio) + (b << bits);
      const lblk = firstBlock(inode, folio) + b;
      if (inode.refused.get(lblk) === true) refuseAgain(inode, lblk);
      inode.i_sb.s_op.writesToDisk(inode, start, start + (1 << bits));
    }
  }
  folio.dirty = dirty;
  folio.tagged = dirty;
}

/**
 * What becomes of folios with PG_dropbehind where their I/O ends (mm/filemap.c
 * folio_end_dropbehind()), once `folio` has been submitted, with blocks that were `mapped` for it or
 * not: they go if a worker ends it. An interrupt, which ends all other I/O, takes none out of the
 * page cache.
 *
 * A folio is in one io_end with what is mapped after it, up to the next folio that needs a mapping,
 * but for those before the first that does: what needs none is submitted before any is made.
 */
function endDropbehind(inode: Inode, folio: Folio, mapped: boolean, io: io_end): void {
  if (!mapped) {
    if (folio.dropbehind) io.folios?.push(folio);
    return;
  }
  const together = io.folios ?? [];
  io.folios = [];
  if (io.flag !== EXT4_IO_END_UNWRITTEN) return;
  for (const one of together) filemap_end_dropbehind(inode, one);
  filemap_end_dropbehind(inode, folio);
}

/**
 * fs/ext4/inode.c ext4_writepages() with WB_SYNC_ALL, waited for, over the folios that have a byte
 * in [start, end]. 0 or -errno.
 */
export function ext4_writepages(inode: Inode, start: number, end: number): number {
  const blocks = Math.ceil(inode.i_size / inode.i_sb.s_blocksize);
  const io: io_end = { flag: 0, folios: undefined };
  for (const folio of dirtyFolios(inode, start, end)) {
    io.flag = 0;
    folio_create_buffers(inode, folio);
    const inside = blocks - firstBlock(inode, folio);
    const count = bufferCount(inode, folio);
    const mapped = mapBuffers(inode, folio, Math.min(count, inside), io);
    submitFolio(inode, folio);
    endRefused(inode, folio);
    if (mapped) {
      const disksize = Math.min(folio_next_pos(folio), inode.i_size);
      inode.i_disksize = Math.max(inode.i_disksize, disksize);
      ext4_mark_inode_dirty(inode);
    }
    endDropbehind(inode, folio, mapped, io);
    if (inside <= count) break;
  }
  return 0;
}

/**
 * fs/ext4/inode.c ext4_writepages() with data=journal: the journal has the data, checkpointing
 * cleans the folios.
 */
export function ext4_journalled_writepages(inode: Inode, start: number, end: number): number {
  return ext4_writepages(inode, start, end);
}
