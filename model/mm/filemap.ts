/**
 * Moving bytes between the user and the page cache.
 *
 * Kernel:   mm/filemap.c generic_perform_write(), filemap_read(), filemap_fault(),
 *           filemap_fdatawrite_range_kick(), filemap_end_dropbehind(); mm/memory.c
 *           do_shared_fault()
 * Left out: throttling of dirty pages, signals; read-ahead is in readahead.ts; kernels that leave
 *           what RWF_DONTCACHE dirtied to a flusher thread (filemap_dontcache_kick_writeback());
 *           reads with RWF_DONTCACHE
 */
import { assert } from "../include/assert.ts";
import { putBytes } from "../include/contents.ts";
import { EFAULT, EIO, ENOMEM } from "../include/errno.ts";
import type { Operations } from "../include/operations.ts";
import { PAGE_SIZE } from "../include/types.ts";
import type { CopiedBytes, Folio, Inode, Source, UserMemory } from "../include/types.ts";
import {
  __filemap_get_folio,
  cachedFolio,
  filemap_get_folio,
  filemap_remove_folio,
  folio_next_index,
  folio_next_pos,
  folio_pos,
  folio_size,
  pageOf,
} from "./folio.ts";

/** Where a write stands. */
interface Progress {
  pos: number;
  /** Bytes of the user's buffer. */
  left: number;
  from: UserMemory;
  written: number;
  /** Bytes to try next at most; halved when a folio's worth could not be copied. */
  chunk: number;
}

/** What one round of write_begin, copy and write_end came to. */
interface Round {
  /** Bytes the copy moved, whether or not they were accepted. */
  copied: number;
  /** Bytes accepted, or -errno. */
  status: number;
}

/**
 * Whether an allocation of memory fails for the folio at `pos`: of the folio itself, or of what
 * preparing its blocks takes. Those that ext4 and the page cache cannot do without never fail
 * (__GFP_NOFAIL).
 */
export function noMemoryAt({ failure }: Inode, pos: number): boolean {
  return failure?.folio(pos) ?? false;
}

function writeRound(
  inode: Inode,
  at: Progress,
  bytes: number,
  source: Source | CopiedBytes,
): Round {
  const { s_op } = inode.i_sb;
  if (noMemoryAt(inode, at.pos)) {
    if (inode.failure?.truncates === true) s_op.ext4_truncate_failed_write(inode);
    return { copied: 0, status: ENOMEM };
  }
  const folio = s_op.write_begin(inode, at.pos, bytes);
  if (typeof folio === "number") return { copied: 0, status: folio };
  const len = Math.min(bytes, folio_next_pos(folio) - at.pos);
  assert(
    folio_pos(folio) <= at.pos && len > 0,
    "write_begin gives the folio that holds the position",
  );
  const copied = Math.min(len, at.from.readable);
  const status = s_op.write_end(inode, at.pos, len, copied, folio, source);
  assert(status <= copied, "no more is accepted of a write than was copied");
  if (status === ENOMEM) putBytes(inode.contents, at.pos, at.pos + copied, source);
  if (status > 0) {
    putBytes(inode.contents, at.pos, at.pos + status, source);
    at.pos += status;
    at.left -= status;
    at.from.readable -= status;
    at.written += status;
    assert(at.left >= 0 && at.from.readable >= 0, "no more is written than there is to write");
  }
  return { copied, status };
}

/**
 * mm/filemap.c file_check_and_advance_wb_err(): the error that writeback came to since the last
 * time, or 0.
 */
export function file_check_and_advance_wb_err(inode: Inode): number {
  const { wb_err, mayHaveError, oracle } = inode;
  assert(wb_err <= 0, "what writeback came to is an error or nothing");
  inode.wb_err = 0;
  inode.mayHaveError = false;
  return wb_err === 0 && mayHaveError && oracle?.saysError === true ? EIO : wb_err;
}

/**
 * mm/filemap.c filemap_write_and_wait_range(), of bytes [start, end]: the error that it came to, or
 * 0; a later fsync says so too.
 */
export function filemap_write_and_wait_range(inode: Inode, start: number, end: number): number {
  assert(start <= end, "what is written back and waited for is not empty");
  const before = inode.wb_err;
  inode.wb_err = 0;
  inode.i_sb.s_op.writepages(inode, start, end);
  const error = inode.wb_err;
  if (error === 0) inode.wb_err = before;
  return error;
}

/**
 * lib/iov_iter.c fault_in_iov_iter_readable(): whether any of the next `bytes` can be read, once
 * they were asked for.
 */
export function faultIn(from: UserMemory, bytes: number): boolean {
  if (from.readable < bytes) from.fault();
  return from.readable > 0;
}

/** The loop that both kinds of generic_perform_write() share; `prefault` is where they differ. */
function performWrite(at: Progress, round: (bytes: number) => Round, prefault: boolean): number {
  let status = 0;
  let retry = 0;
  while (at.left > 0) {
    const bytes = Math.min(at.chunk - (at.pos % at.chunk), retry > 0 ? retry : at.left);
    retry = 0;
    assert(bytes > 0 && bytes <= at.left, "a round of a write has bytes, of those that are left");
    if (prefault && !faultIn(at.from, bytes)) {
      status = EFAULT;
      break;
    }
    const done = round(bytes);
    status = done.status;
    if (status < 0) break;
    if (status > 0) continue;
    if (at.chunk > PAGE_SIZE) at.chunk /= 2;
    if (done.copied > 0) {
      retry = done.copied;
    } else if (!prefault && !faultIn(at.from, bytes)) {
      status = EFAULT;
      break;
    }
  }
  return at.written > 0 ? at.written : status;
}

function performWith(prefault: boolean): Operations["perform_write"] {
  return (inode, pos, len, from, source) => {
    const chunk = PAGE_SIZE * 2 ** inode.i_sb.s_max_folio_order;
    const at = { pos, left: len, from, written: 0, chunk };
    return performWrite(at, (bytes) => writeRound(inode, at, bytes, source), prefault);
  };
}

/**
 * mm/filemap.c generic_perform_write() since 6.16: the copy is tried before the user's pages are
 * faulted in, so a write whose first byte faults has been through write_begin already.
 */
export const generic_perform_write = performWith(false);

/** mm/filemap.c generic_perform_write() before 6.16: the user's pages are faulted in first. */
export const generic_perform_write_prefault = performWith(true);

/** A write with RWF_DONTCACHE. What it returns. */
export function withDontcache(inode: Inode, write: () => number): number {
  assert(inode.dontcache !== true, "a write is not part of another");
  inode.dontcache = true;
  const written = write();
  inode.dontcache = false;
  return written;
}

/**
 * mm/filemap.c filemap_fdatawrite_range_kick() with what follows: of the `written` bytes at `pos`
 * those that are dirty are on their way to the device, and there before anybody looks.
 */
export function filemap_fdatawrite_range_kick(inode: Inode, pos: number, written: number): void {
  if (written > 0) inode.i_sb.s_op.writepages(inode, pos, pos + written - 1);
}

/** mm/filemap.c filemap_end_dropbehind(): a folio that nobody else has asked for goes, once clean. */
export function filemap_end_dropbehind(inode: Inode, folio: Folio): void {
  if (folio.dirty || !folio.dropbehind) return;
  folio.dropbehind = false;
  if (inode.i_sb.s_op.release_folio(inode, folio)) filemap_remove_folio(inode, folio);
}

/** include/linux/pagevec.h FOLIO_BATCH_SIZE: folios that a read looks up at once. */
const FOLIO_BATCH_SIZE = 31;

/**
 * mm/filemap.c filemap_update_page(): read the folio unless what is asked for of it, [pos, end), is
 * uptodate already. Whether it could be read.
 */
function filemap_update_page(inode: Inode, folio: Folio, pos: number, end: number): boolean {
  const from = Math.max(pos - folio_pos(folio), 0);
  const size = folio_size(folio);
  const to = Math.min(end - folio_pos(folio), size);
  const whole = from === 0 && to === size;
  const { s_op } = inode.i_sb;
  if (!whole && s_op.is_partially_uptodate(inode, folio, from, to)) return true;
  s_op.read_folio(inode, folio);
  return folio.uptodate;
}

/** mm/filemap.c page_cache_sync_readahead() of a page that is missing. An error is not told. */
function filemap_create_folio(inode: Inode, page: number): Folio {
  const folio = __filemap_get_folio(inode, page, 0);
  inode.i_sb.s_op.read_folio(inode, folio);
  return folio;
}

/**
 * mm/filemap.c filemap_get_pages(): folios side by side from the page of `pos` on, which is read
 * first where it is missing, up to the first that is not uptodate, which is then read. They may
 * reach past EOF, where a write that ended short has left a folio. Those that nobody asked to keep
 * go. Returns where the next batch begins, or the folio that could not be read.
 */
function readBatch(inode: Inode, pos: number, end: number): number | Folio {
  let folio = cachedFolio(inode, pageOf(pos)) ?? filemap_create_folio(inode, pageOf(pos));
  let dropped: Folio[] | undefined;
  for (let i = 1; i < FOLIO_BATCH_SIZE && folio.uptodate && folio_next_pos(folio) < end; i++) {
    const next = cachedFolio(inode, folio_next_index(folio));
    if (next === undefined) break;
    if (folio.dropbehind) (dropped ??= []).push(folio);
    folio = next;
  }
  const isRead = folio.uptodate || filemap_update_page(inode, folio, pos, end);
  assert(folio_next_pos(folio) > pos, "a read goes on with every batch");
  for (const one of dropped ?? []) filemap_end_dropbehind(inode, one);
  if (!isRead) return folio;
  filemap_end_dropbehind(inode, folio);
  return folio_next_pos(folio);
}

/**
 * mm/filemap.c filemap_read() with read-ahead off: pages that are missing are brought in one by
 * one. Bytes read, or -errno where none were.
 */
export function filemap_read(inode: Inode, pos: number, len: number): number {
  const end = Math.min(pos + len, inode.i_sb.s_maxbytes);
  const readable = Math.min(end, inode.i_size) - pos;
  if (readable <= 0) return 0;
  for (let at = pos; at < Math.min(end, inode.i_size);) {
    const next = readBatch(inode, at, end);
    if (typeof next !== "number") return Math.max(0, folio_pos(next) - pos) || EIO;
    at = next;
  }
  return readable;
}

/**
 * A page in the cache, brought in alone where it is missing, and uptodate as a whole; undefined
 * where it cannot be read.
 */
export function uptodateFolio(inode: Inode, page: number): Folio | undefined {
  const folio = cachedFolio(inode, page) ?? __filemap_get_folio(inode, page, 0);
  if (!folio.uptodate) inode.i_sb.s_op.read_folio(inode, folio);
  return folio.uptodate ? folio : undefined;
}

/**
 * A store to each page of [pos, pos + len), which lies inside i_size: mm/filemap.c filemap_fault()
 * brings the page in, ->page_mkwrite() gets blocks for it, fault_dirty_shared_page() dirties it.
 * Bytes stored: fewer where that fails, and the program dies of SIGBUS.
 */
export function storeThroughMapping(inode: Inode, pos: number, len: number): number {
  const { s_op } = inode.i_sb;
  assert(pos + len <= inode.i_size, "a store through a mapping lies before EOF");
  for (let page = pageOf(pos); page * PAGE_SIZE < pos + len; page++) {
    s_op.mmapReadAhead(inode, page);
    filemap_get_folio(inode, page);
    const folio = uptodateFolio(inode, page);
    if (folio === undefined || s_op.page_mkwrite(inode, folio) !== 0) {
      return Math.max(0, page * PAGE_SIZE - pos);
    }
    s_op.dirty_folio(inode, folio);
    assert(folio.dirty && folio.tagged, "a folio that was stored to is dirty, and tagged so");
  }
  return len;
}
