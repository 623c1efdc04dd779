/**
 * The state of a file as a value: copied, and told apart from others by what it may do next.
 *
 * Two files with one key answer every further sequence of calls alike, but for the bytes that reads return. What the key leaves out, and
 * why that cannot matter:
 *
 * - where the bytes came from (`contents`), what is on disk of them (`disk`, `zeroedOnDisk`): nothing branches on them;
 * - `i_es_seq`: only compared within one call; `pastEof`, `staysUnwritten`, `refuses`, `failure`: set when a call begins;
 * - `i_dirty`: an index of the dirty folios, which the folios say themselves;
 * - numbers of transactions: only whether the running one is the one that fdatasync waits for;
 * - counters of the file system, as long as there is room for everything; what is reserved is in the extent status tree, and the
 *   file's own number is in the key;
 * - `f_ra` without read-ahead; `deviated`, `uncertain`, `sizeUntold`: what is said of the file, not what it does;
 * - `breaks`, `maybeZeroed`: of the allocator's placement, which the model does not have (who follows a kernel is told it).
 *
 * Nothing of a second file, of a device that refuses, or of a power cut is in it: those are not explored.
 */
import { IntervalMap } from "./interval-map.ts";
import type { Folio, Inode, SuperBlock } from "./types.ts";

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

/** What decides what the file does next; see above. */
export function stateKey(inode: Inode): string {
  const { i_size, i_disksize, raw_i_size, jinode, i_sb, allocatesOnClose } = inode;
  const running = inode.i_datasync_tid === i_sb.s_commits;
  const journal =
    jinode === undefined
      ? ""
      : `${jinode.filed ? `${jinode.i_dirty_start}-${jinode.i_dirty_end}` : ""}${jinode.write ? "w" : ""}`;
  return [
    i_size,
    i_disksize,
    raw_i_size,
    inode.i_reserved_data_blocks,
    `${running ? "r" : ""}${allocatesOnClose ? "c" : ""}${inode.wb_err}`,
    journal,
    intervals(inode.i_extents),
    intervals(inode.i_es_tree),
    inode.i_mapping.map(folioKey).join(" "),
    inode.i_prealloc.map((pa) => `${pa.pa_lstart}-${pa.pa_end}:${pa.pa_free}`).join(),
  ].join("|");
}
