/**
 * Read-ahead around a page fault: which pages it brings into the page cache, and in folios of what
 * size. Both show later: a store through a mapping gets blocks for the whole folio, and a write
 * that ends short leaves more where its folio is uptodate.
 *
 * Kernel:   mm/filemap.c do_sync_mmap_readahead(), do_async_mmap_readahead(); mm/readahead.c
 *           page_cache_ra_order(), page_cache_async_ra(), do_page_cache_ra(), ra_alloc_folio()
 * Left out: read-ahead of reads (the kernel subject switches it off with POSIX_FADV_RANDOM and
 *           MADV_RANDOM, so that the page cache holds just what the operations put there);
 *           MMAP_LOTSAMISS (a hundred misses through one descriptor end it); advice
 */
import { assert } from "../include/assert.ts";
import { PAGE_SIZE } from "../include/types.ts";
import type { FileReadAhead, Folio, Inode } from "../include/types.ts";
import {
  __filemap_get_folio,
  filemap_get_folio,
  folio_next_index,
  folio_nr_pages,
} from "./folio.ts";

/**
 * How folios grow from window to window, by two orders each time: from the order of the folio whose
 * use started the window, with the first window at order 2 already (until 6.14), or from the order
 * of the window before, with the first at order 0.
 */
type GrowsFrom = "folio" | "window";

const ORDER_STEP = 2;

/**
 * Pages of the smallest window that is read in folios of more than one (min_ra_size; in later
 * kernels it makes no difference).
 */
const MIN_RA_PAGES = 4;

/** Pages of the file. */
function pagesOf(inode: Inode): number {
  return Math.ceil(inode.i_size / PAGE_SIZE);
}

/**
 * A folio of exactly 2^order pages, marked where page `mark` lies at its beginning; undefined where
 * one is in the way.
 */
function ra_alloc_folio(
  inode: Inode,
  index: number,
  mark: number,
  order: number,
): Folio | undefined {
  for (let page = index; page < index + 2 ** order; page++) {
    if (filemap_get_folio(inode, page) !== undefined) return undefined;
  }
  assert(index % 2 ** order === 0, "a folio of read-ahead is aligned to its size");
  const folio = __filemap_get_folio(inode, index, order);
  assert(folio.index === index && folio.order === order, "read-ahead fills just the room it found");
  folio.readahead = mark - (mark % 2 ** order) === index;
  inode.i_sb.s_op.read_folio(inode, folio);
  return folio;
}

/**
 * mm/readahead.c do_page_cache_ra(): single pages for those of [index, index + nr) that are missing
 * before EOF.
 */
function do_page_cache_ra(inode: Inode, index: number, nr: number, lookahead: number): void {
  const end = Math.min(index + nr, pagesOf(inode));
  const mark = end - lookahead;
  for (let page = index; page < end; page++) ra_alloc_folio(inode, page, mark, 0);
}

/**
 * mm/readahead.c page_cache_ra_order(): the window of `ra` in folios of up to `order`, as far as
 * their alignment and EOF permit, up to the first that is cached already; from there on single
 * pages fill the gaps.
 */
function page_cache_ra_order(
  inode: Inode,
  ra: FileReadAhead,
  order: number,
  growsFrom: GrowsFrom,
): void {
  assert(ra.size > 0, "a window of read-ahead is not empty");
  assert(ra.async_size <= ra.size, "the mark of a window lies in it");
  const largest = Math.min(order, inode.i_sb.s_max_folio_order, Math.floor(Math.log2(ra.size)));
  ra.order = largest;
  const windowEnd = ra.start + ra.size;
  const end = Math.min(windowEnd, pagesOf(inode));
  const last = growsFrom === "window" && windowEnd >= pagesOf(inode);
  const mark = last ? Infinity : windowEnd - ra.async_size;
  let index = ra.start;
  const foliosEnd = inode.i_sb.s_max_folio_order > 0 && ra.size >= MIN_RA_PAGES ? end : index;
  while (index < foliosEnd) {
    let wanted = largest;
    while (index % 2 ** wanted !== 0 || index + 2 ** wanted > end) wanted -= 1;
    const folio = ra_alloc_folio(inode, index, mark, wanted);
    if (folio === undefined) break;
    index = folio_next_index(folio);
  }
  if (index >= end) return;
  const left = growsFrom === "window" ? windowEnd - index : ra.size;
  do_page_cache_ra(inode, index, left, ra.async_size);
}

/** The number of the lowest bit that is set: ffs(n) - 1. */
function lowestBit(n: number): number {
  return 31 - Math.clz32(n & -n);
}

/** mm/readahead.c get_next_ra_size() */
function get_next_ra_size(cur: number, max: number): number {
  if (cur < max / 16) return 4 * cur;
  return cur <= max / 2 ? 2 * cur : max;
}

/**
 * mm/filemap.c do_sync_mmap_readahead(), mmap read-around: a window around the page that a fault
 * does not find.
 */
function do_sync_mmap_readahead(inode: Inode, index: number, growsFrom: GrowsFrom): void {
  const pages = inode.i_sb.s_ra_pages;
  const ra = inode.f_ra;
  ra.start = Math.max(0, index - Math.floor(pages / 2));
  ra.size = pages;
  ra.async_size = Math.floor(pages / 4);
  assert(
    ra.start <= index && index < ra.start + ra.size,
    "the window around a fault holds its page",
  );
  page_cache_ra_order(inode, ra, growsFrom === "folio" ? ORDER_STEP : 0, growsFrom);
}

/**
 * mm/readahead.c page_cache_async_ra(): a fault meets the folio that marks the last part of a
 * window: read the next one.
 *
 * Left out: a mark that is not of the last window
 */
function page_cache_async_ra(
  inode: Inode,
  folio: Folio,
  index: number,
  growsFrom: GrowsFrom,
): void {
  const pages = inode.i_sb.s_ra_pages;
  const ra = inode.f_ra;
  assert(folio.readahead, "only a marked folio starts the next window");
  folio.readahead = false;
  const nr_pages = folio_nr_pages(folio);
  const at = ra.start + ra.size - ra.async_size;
  if (index !== at - (at % nr_pages)) return;
  ra.start += ra.size;
  ra.size = Math.max(ra.size, get_next_ra_size(ra.size, pages));
  const order = (growsFrom === "folio" ? folio.order : ra.order) + ORDER_STEP;
  if (growsFrom === "window") {
    const align = 2 ** Math.min(order, lowestBit(pages));
    const end = ra.start + ra.size;
    const aligned = end - (end % align);
    if (aligned > ra.start) ra.size -= end - aligned;
    assert(ra.start + ra.size <= end, "aligning the end of a window makes it no longer");
  }
  ra.async_size = ra.size;
  page_cache_ra_order(inode, ra, order, growsFrom);
}

/** A fault on page `index`, before its folio is used. */
export function mmapReadAhead(growsFrom: GrowsFrom): (inode: Inode, index: number) => void {
  return (inode, index) => {
    if (inode.i_sb.s_ra_pages === 0) return;
    const folio = filemap_get_folio(inode, index);
    if (folio === undefined) do_sync_mmap_readahead(inode, index, growsFrom);
    else if (folio.readahead) page_cache_async_ra(inode, folio, index, growsFrom);
  };
}
