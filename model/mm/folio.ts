/**
 * Folios and the page cache that holds them.
 *
 * Kernel:   mm/filemap.c filemap_get_folio(), __filemap_get_folio(), write_begin_get_folio(),
 *           filemap_add_folio();
 *           include/linux/pagemap.h fgf_set_order(); mm/huge_memory.c folio_split()
 * Left out: reference counts, locks, the writeback flag (every write-out here is waited for),
 *           reclaim, a large folio that cannot be allocated because memory is fragmented
 */
import { assert } from "../include/assert.ts";
import {
  BH_Dirty,
  BH_Uptodate,
  IFS_DIRTY,
  IFS_UPTODATE,
  PAGE_SHIFT,
  PAGE_SIZE,
  UNWRITTEN,
} from "../include/types.ts";
import type { Folio, Inode } from "../include/types.ts";

export function folio_pos(folio: Folio): number {
  return folio.index * PAGE_SIZE;
}

export function folio_nr_pages(folio: Folio): number {
  return 1 << folio.order;
}

export function folio_size(folio: Folio): number {
  return PAGE_SIZE << folio.order;
}

/** The first byte after the folio. */
export function folio_next_pos(folio: Folio): number {
  return folio_pos(folio) + folio_size(folio);
}

/** The first page after the folio. */
export function folio_next_index(folio: Folio): number {
  return folio.index + folio_nr_pages(folio);
}

/** The page that holds a byte. */
export function pageOf(pos: number): number {
  return Math.floor(pos / PAGE_SIZE);
}

/** The place in `i_mapping` of the first folio that ends after page `index`. */
export function folioIndexAfter(mapping: readonly Folio[], index: number): number {
  let low = 0;
  let high = mapping.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (folio_next_index(mapping[middle] as Folio) > index) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The cached folio that holds page `index`, as those find it who walk the page cache. */
export function cachedFolio(inode: Inode, index: number): Folio | undefined {
  const folio = inode.i_mapping[folioIndexAfter(inode.i_mapping, index)];
  return folio !== undefined && folio.index <= index ? folio : undefined;
}

/** mm/filemap.c filemap_get_folio(): the same for somebody who wants it kept. */
export function filemap_get_folio(inode: Inode, index: number): Folio | undefined {
  const folio = cachedFolio(inode, index);
  if (folio !== undefined) folio.dropbehind = false;
  return folio;
}

/** Whether memory has block `b` of a folio, on either path, and whether it is dirty there. */
export function blockInMemory(
  { uptodate, dirty, buffers, ifs }: Folio,
  b: number,
): { uptodate: boolean; dirty: boolean } {
  const bh = buffers?.[b];
  if (bh !== undefined) {
    return { uptodate: uptodate || (bh & BH_Uptodate) !== 0, dirty: (bh & BH_Dirty) !== 0 };
  }
  const own = ifs?.[b];
  if (own === undefined) return { uptodate, dirty };
  return { uptodate: uptodate || (own & IFS_UPTODATE) !== 0, dirty: (own & IFS_DIRTY) !== 0 };
}

/**
 * mm/filemap.c filemap_get_folios_tag(): the dirty folios that have a byte in [start, end], in
 * their order.
 */
export function dirtyFolios(inode: Inode, start: number, end: number): Folio[] {
  const found: Folio[] = [];
  for (const folio of inode.i_dirty) {
    if (!folio.dirty || cachedFolio(inode, folio.index) !== folio) {
      inode.i_dirty.delete(folio);
    } else if (folio.index <= pageOf(end) && folio_next_index(folio) > pageOf(start)) {
      assert(folio.tagged, "a dirty folio is tagged dirty");
      found.push(folio);
    }
  }
  return found.toSorted((a, b) => a.index - b.index);
}

/** include/linux/pagemap.h fgf_set_order(): the order a write of `size` bytes asks for. */
function fgf_order(size: number): number {
  return size < 2 * PAGE_SIZE ? 0 : 31 - Math.clz32(size) - PAGE_SHIFT;
}

function newFolio(index: number, order: number): Folio {
  return {
    index,
    order,
    uptodate: false,
    dirty: false,
    tagged: false,
    dropbehind: false,
    readahead: false,
    buffers: undefined,
    ifs: undefined,
  };
}

/** mm/page-writeback.c filemap_dirty_folio() */
export function filemap_dirty_folio(inode: Inode, folio: Folio): void {
  inode.i_dirty.add(folio);
  folio.dirty = true;
  folio.tagged = true;
}

/**
 * mm/page-writeback.c folio_cancel_dirty(): what made the folio dirty is gone, and with it its
 * place among the dirty.
 */
export function folio_cancel_dirty(_inode: Inode, folio: Folio): void {
  folio.dirty = false;
  folio.tagged = false;
}

/** mm/filemap.c filemap_add_folio(): false where a cached folio overlaps it. */
function filemap_add_folio(mapping: Folio[], folio: Folio): boolean {
  const i = folioIndexAfter(mapping, folio.index);
  const next = mapping[i];
  if (next !== undefined && next.index < folio_next_index(folio)) return false;
  mapping.splice(i, 0, folio);
  return true;
}

/**
 * mm/filemap.c __filemap_get_folio() with FGP_CREAT: the folio that holds page `index`; a new one
 * is as large as `order` says, as its alignment permits, and as fits between the folios that are
 * there. With FGP_DONTCACHE it is marked to go once it is clean, where nobody else wants it.
 */
export function __filemap_get_folio(
  inode: Inode,
  index: number,
  order: number,
  dontcache = false,
): Folio {
  const cached = dontcache ? cachedFolio(inode, index) : filemap_get_folio(inode, index);
  if (cached !== undefined) return cached;
  let wanted = Math.min(order, inode.i_sb.s_max_folio_order);
  while (wanted > 0 && index % (1 << wanted) !== 0) wanted -= 1;
  for (; wanted >= 0; wanted--) {
    const folio = newFolio(index, wanted);
    folio.dropbehind = dontcache;
    if (filemap_add_folio(inode.i_mapping, folio)) return folio;
  }
  throw assert(false, "a single page fits where no folio is") as never;
}

/**
 * mm/filemap.c write_begin_get_folio(), and fs/iomap/buffered-io.c iomap_get_folio(): the folio for
 * a write of `len` bytes at `pos`.
 */
export function write_begin_get_folio(inode: Inode, pos: number, len: number): Folio {
  return __filemap_get_folio(inode, pageOf(pos), fgf_order(len), inode.dontcache);
}

/** Bytes [start, end) are read from disk from now on, where an unwritten block reads as zeros. */
export function readFromDisk(inode: Inode, start: number, end: number): void {
  assert(start < end, "what is read from disk again is not empty");
  const size = inode.i_sb.s_blocksize;
  const first = Math.floor(start / size);
  for (const extent of inode.i_extents.within(first, Math.ceil(end / size))) {
    if (extent.value === UNWRITTEN) inode.contents.delete(extent.start * size, extent.end * size);
  }
}

/** Take a folio out of the page cache, whatever its state. */
export function filemap_remove_folio(inode: Inode, folio: Folio): void {
  readFromDisk(inode, folio_pos(folio), folio_pos(folio) + folio_size(folio));
  const i = folioIndexAfter(inode.i_mapping, folio.index);
  assert(inode.i_mapping[i] === folio, "only a cached folio is removed");
  inode.i_mapping.splice(i, 1);
}

/**
 * mm/huge_memory.c folio_split(): split a folio without buffers around page `at`, as a buddy
 * allocator would: halve it, go on with the half that holds the page, down to a single page. Parts
 * past EOF leave the page cache.
 */
export function folio_split(inode: Inode, folio: Folio, at: number): void {
  assert(folio.buffers === undefined, "only a folio without buffers is split");
  assert(folio.ifs === undefined, "only a folio without iomap_folio_state is split");
  assert(
    folio.index <= at && at < folio_next_index(folio),
    "a folio is split around a page that it holds",
  );
  const parts: Folio[] = [];
  let index = folio.index;
  let order = folio.order;
  const after: Folio[] = [];
  while (order > 0) {
    order -= 1;
    const half = index + 2 ** order;
    const template = { ...folio, order };
    if (at < half) {
      after.push({ ...template, index: half });
    } else {
      parts.push({ ...template, index });
      index = half;
    }
  }
  parts.push({ ...folio, index, order: 0 }, ...after.toReversed());
  assert(
    folio_next_index(parts.at(-1) as Folio) === folio_next_index(folio),
    "the parts of a folio end where it ends",
  );
  const end = Math.ceil(inode.i_size / PAGE_SIZE);
  const kept = parts.filter((part, i) => i === 0 || part.index < end);
  const i = folioIndexAfter(inode.i_mapping, folio.index);
  assert(inode.i_mapping[i] === folio, "only a cached folio is split");
  inode.i_mapping.splice(i, 1, ...kept);
  if (folio.dirty) for (const part of kept) inode.i_dirty.add(part);
}
