/**
 * The state of a file as a value: copied, and told apart from others by what it may do next.
 *
 * Two files with one key answer every further sequence of calls alike, but for which bytes reads
 * return. What the key leaves out, and why that cannot matter:
 *
 * - which write the bytes came from (`contents`), what is on disk of them (`disk`, `zeroedOnDisk`):
 *   nothing branches on them. Where there are some that are not zero is in the key: a kernel that
 *   loses them must come to a state where there is something to lose;
 * - `i_es_seq`: only compared within one call; `pastEof`, `oracle`, `refuses`, `failure`:
 *   set when a call begins;
 * - `i_dirty`: an index of the dirty folios, which the folios say themselves;
 * - `raw_i_size`, `i_datasync_tid` and numbers of transactions: only a write with O_DSYNC asks for
 *   them;
 * - `allocatesOnClose`: only closing the file does;
 * - `dropbehind` of folios: only a write with RWF_DONTCACHE sets it;
 * - counters of the file system, as long as there is room for everything; what is reserved is in
 *   the extent status tree, and the file's own number is in the key;
 * - `f_ra` without read-ahead; `deviated`, `uncertain`, `sizeUntold`: what is said of the file, not
 *   what it does;
 * - `breaks`, `maybeZeroed`: of the allocator's placement, which the model does not have (who
 *   follows a kernel is told it).
 *
 * So nothing is explored of writes that are synced or not cached, of unlink, of a second file, of a
 * device that refuses, of a power cut.
 */
import { IntervalMap } from "./include/interval-map.ts";
import { PAGE_SIZE } from "./include/types.ts";
import type { Folio, Inode, SuperBlock } from "./include/types.ts";
import { blockInMemory } from "./mm/folio.ts";

function copyFolio(folio: Folio): Folio {
  return { ...folio, buffers: folio.buffers?.slice(), ifs: folio.ifs?.slice() };
}

/** A copy of the file, on a copy of its file system, on which there is nothing else. */
export function copyFile(inode: Inode): Inode {
  const i_sb: SuperBlock = { ...inode.i_sb, s_inodes: new Set() };
  const i_mapping = inode.i_mapping.map(copyFolio);
  const copy: Inode = {
    ...inode,
    i_sb,
    i_extents: inode.i_extents.clone(),
    i_es_tree: inode.i_es_tree.clone(),
    i_prealloc: inode.i_prealloc.map((one) => ({ ...one })),
    f_ra: { ...inode.f_ra },
    i_mapping,
    i_dirty: new Set(i_mapping.filter(({ tagged }) => tagged)),
    jinode: inode.jinode && { ...inode.jinode },
    contents: inode.contents.clone(),
    disk: undefined,
    maybeZeroed: new IntervalMap(),
    zeroedOnDisk: new IntervalMap(),
    refused: inode.refused.clone(),
    deviated: new Set(),
  };
  i_sb.s_inodes.add(copy);
  return copy;
}

function intervals<V>(map: IntervalMap<V>): string {
  let text = "";
  for (const { start, end, value } of map) text += `${start}-${end}=${String(value)},`;
  return text;
}

function folioKey({
  index,
  order,
  uptodate,
  dirty,
  tagged,
  readahead,
  buffers,
  ifs,
}: Folio): string {
  const flags = (uptodate ? 1 : 0) | (dirty ? 2 : 0) | (tagged ? 4 : 0) | (readahead ? 8 : 0);
  return `${index}^${order}:${flags}:${buffers === undefined ? "" : buffers.join(".")}:${ifs === undefined ? "" : ifs.join(".")}`;
}

/** Where there are bytes that were written, whichever. */
function written({ contents }: Inode): string {
  let text = "";
  let from = -1;
  let until = -1;
  for (const { start, end } of contents) {
    if (start !== until) {
      if (from >= 0) text += `${from}-${until},`;
      from = start;
    }
    until = end;
  }
  return from < 0 ? text : `${text}${from}-${until}`;
}

/** What decides what the file does next; see above. */
export function stateKey(inode: Inode): string {
  const { i_size, i_disksize, jinode } = inode;
  const journal =
    jinode === undefined
      ? ""
      : `${jinode.filed ? `${jinode.i_dirty_start}-${jinode.i_dirty_end}` : ""}${jinode.write ? "w" : ""}`;
  return [
    i_size,
    i_disksize,
    inode.i_reserved_data_blocks,
    journal,
    written(inode),
    intervals(inode.i_extents),
    intervals(inode.i_es_tree),
    inode.i_mapping.map(folioKey).join(" "),
    inode.i_prealloc.map((pa) => `${pa.pa_lstart}-${pa.pa_end}:${pa.pa_free}`).join(),
  ].join("|");
}

/** A block of the file that is in memory. */
export interface CachedBlock {
  block: number;
  uptodate: boolean;
  dirty: boolean;
}

/** The blocks that are in memory, in their order. */
export function cachedBlocks({ i_mapping, i_sb }: Inode): CachedBlock[] {
  const perPage = Math.max(1, PAGE_SIZE / i_sb.s_blocksize);
  return i_mapping.flatMap((folio) =>
    Array.from({ length: perPage << folio.order }, (_, b) => ({
      block: folio.index * perPage + b,
      ...blockInMemory(folio, b),
    })),
  );
}

function cachedText(inode: Inode): string {
  return cachedBlocks(inode)
    .map(({ block, uptodate, dirty }) => `${block}${uptodate ? "u" : ""}${dirty ? "d" : ""}`)
    .join();
}

/**
 * What tells a state from others by itself, whether or not a call shows it: a kernel that has one
 * of these wrong is in a state of its own. The last are the pages that are tagged dirty, which
 * cachestat(2) counts. The rest of `stateKey` (how folios and extents are cut, what buffers
 * remember of a mapping, what the journal waits for) counts only as far as some sequence of calls
 * shows it.
 */
export function blockStates(inode: Inode): string {
  return [
    inode.i_size,
    inode.i_disksize,
    inode.i_reserved_data_blocks,
    written(inode),
    intervals(inode.i_extents),
    intervals(inode.i_es_tree),
    cachedText(inode),
    inode.i_mapping.map(({ tagged, order }) => (tagged ? "t" : "-").repeat(1 << order)).join(""),
  ].join("|");
}
