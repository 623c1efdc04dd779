/**
 * Moving bytes between the user and the page cache.
 *
 * Kernel:   mm/filemap.c generic_perform_write(), filemap_read(), filemap_fault(); mm/readahead.c
 *           force_page_cache_ra(); mm/memory.c do_shared_fault()
 * Left out: read-ahead (the kernel subject switches it off with POSIX_FADV_RANDOM and MADV_RANDOM, so that the page
 *           cache holds just what the operations put there), throttling of dirty pages, signals
 */
import { block_dirty_folio, block_read_full_folio } from "../fs/buffer.ts";
import { EFAULT } from "../errno.ts";
import { ext4_get_block_lookup } from "../ext4/get_block.ts";
import { PAGE_SIZE } from "../types.ts";
import type { Inode, Source } from "../types.ts";
import { __filemap_get_folio, folio_next_pos, pageOf } from "./folio.ts";

/** Where a write stands: what is left of its user buffer, and how much of that can be read. */
interface Progress {
  pos: number;
  left: number;
  readable: number;
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

function writeRound(inode: Inode, at: Progress, bytes: number, source: Source): Round {
  const { s_op } = inode.i_sb;
  const folio = s_op.write_begin(inode, at.pos, bytes);
  if (typeof folio === "number") return { copied: 0, status: folio };
  const len = Math.min(bytes, folio_next_pos(folio) - at.pos);
  const copied = Math.min(len, at.readable);
  const status = s_op.write_end(inode, at.pos, len, copied, folio, source);
  if (status > 0) {
    inode.contents.set(at.pos, at.pos + status, source);
    at.pos += status;
    at.left -= status;
    at.readable -= status;
    at.written += status;
  }
  return { copied, status };
}

/** The loop that both kinds of generic_perform_write() share; `prefault` is where they differ. */
function performWrite(at: Progress, round: (bytes: number) => Round, prefault: boolean): number {
  let status = 0;
  let retry = 0;
  while (at.left > 0) {
    const bytes = Math.min(at.chunk - (at.pos % at.chunk), retry > 0 ? retry : at.left);
    retry = 0;
    if (prefault && at.readable === 0) {
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
    } else if (!prefault && at.readable === 0) {
      status = EFAULT;
      break;
    }
  }
  return at.written > 0 ? at.written : status;
}

function begin(inode: Inode, pos: number, len: number, readable: number): Progress {
  const chunk = PAGE_SIZE * 2 ** inode.i_sb.s_max_folio_order;
  return { pos, left: len, readable: Math.min(readable, len), written: 0, chunk };
}

/**
 * mm/filemap.c generic_perform_write() since 6.16: the copy is tried before the user's pages are faulted in, so a
 * write whose first byte faults has been through write_begin already.
 */
export function generic_perform_write(
  inode: Inode,
  pos: number,
  len: number,
  readable: number,
  source: Source,
): number {
  const at = begin(inode, pos, len, readable);
  return performWrite(at, (bytes) => writeRound(inode, at, bytes, source), false);
}

/** mm/filemap.c generic_perform_write() before 6.16: the user's pages are faulted in first. */
export function generic_perform_write_prefault(
  inode: Inode,
  pos: number,
  len: number,
  readable: number,
  source: Source,
): number {
  const at = begin(inode, pos, len, readable);
  return performWrite(at, (bytes) => writeRound(inode, at, bytes, source), true);
}

/**
 * mm/filemap.c filemap_read() with read-ahead off: every page of the range inside i_size is in the cache and
 * uptodate afterwards. Bytes read.
 */
export function filemap_read(inode: Inode, pos: number, len: number): number {
  const end = Math.min(pos + len, inode.i_size);
  if (pos >= end) return 0;
  let page = pageOf(pos);
  while (page * PAGE_SIZE < end) {
    const folio = __filemap_get_folio(inode, page, 0);
    if (!folio.uptodate) block_read_full_folio(inode, folio, ext4_get_block_lookup);
    page = folio_next_pos(folio) / PAGE_SIZE;
  }
  return end - pos;
}

/**
 * A store to each page of [pos, pos + len), which lies inside i_size: mm/filemap.c filemap_fault() brings the page
 * in, ->page_mkwrite() gets blocks for it, fault_dirty_shared_page() dirties it. 0 or -errno.
 */
export function storeThroughMapping(inode: Inode, pos: number, len: number): number {
  for (let page = pageOf(pos); page * PAGE_SIZE < pos + len; page++) {
    const folio = __filemap_get_folio(inode, page, 0);
    if (!folio.uptodate) block_read_full_folio(inode, folio, ext4_get_block_lookup);
    const error = inode.i_sb.s_op.page_mkwrite(inode, folio);
    if (error !== 0) return error;
    block_dirty_folio(folio);
  }
  return 0;
}
