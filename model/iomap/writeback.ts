/**
 * Writeback of the iomap path.
 *
 * Kernel:   fs/iomap/buffered-io.c iomap_writepages(), iomap_writepage_map() (since 6.17
 *           iomap_writeback_folio()), iomap_writepage_handle_eof(), iomap_add_to_ioend();
 *           fs/iomap/ioend.c
 * Left out: I/O errors; the size at which an ioend is full
 */
import { assert } from "../include/assert.ts";
import { filemap_end_dropbehind } from "../mm/filemap.ts";
import { dirtyFolios, folio_next_pos, folio_pos } from "../mm/folio.ts";
import { DELAYED, HOLE } from "../include/types.ts";
import type { Iomap, IomapType, WritepageContext } from "../include/iomap.ts";
import type { Folio, Inode } from "../include/types.ts";
import {
  clearDirtyBlocks,
  i_blocks_per_folio,
  ifs_alloc,
  iomap_find_dirty_range,
  iomap_set_range_dirty,
} from "./folio-state.ts";

/** fs/iomap/buffered-io.c iomap_add_to_ioend(), with the merging that completion does. */
function iomap_add_to_ioend(
  wpc: WritepageContext,
  type: IomapType,
  pos: number,
  len: number,
  end_pos: number,
): void {
  let ioend = wpc.ioends.at(-1);
  assert(pos < end_pos, "what is written begins before the end of what may be");
  assert(
    ioend === undefined || ioend.io_offset + ioend.io_size <= pos,
    "ioends are in the order of the file, and do not overlap",
  );
  if (ioend?.io_type !== type || ioend.io_offset + ioend.io_size !== pos) {
    ioend = { io_type: type, io_offset: pos, io_size: 0 };
    wpc.ioends.push(ioend);
  }
  ioend.io_size = Math.min(pos + len, end_pos) - ioend.io_offset;
  assert(ioend.io_size > 0, "an ioend is not empty");
}

/**
 * fs/iomap/buffered-io.c iomap_writepage_map_blocks(): a run of dirty blocks, bytes [pos, end). 0
 * or -errno.
 */
function mapRun(
  inode: Inode,
  wpc: WritepageContext,
  run: { pos: number; end: number },
  end_pos: number,
): number {
  for (let { pos } = run; pos < run.end;) {
    const error = inode.i_sb.s_op.map_blocks(inode, wpc, pos, run.end - pos);
    if (error !== 0) return error;
    const { type, offset, length } = wpc.iomap as Iomap;
    const end = Math.min(run.end, offset + length);
    assert(offset <= pos && pos < end, "the mapping of a dirty block holds it");
    assert(type !== DELAYED, "what is written back has its blocks by then");
    if (type !== HOLE) iomap_add_to_ioend(wpc, type, pos, end - pos, end_pos);
    pos = end;
  }
  return 0;
}

/**
 * fs/iomap/buffered-io.c iomap_writepage_handle_eof(): where writing the folio ends, bytes;
 * undefined past EOF.
 */
function iomap_writepage_handle_eof(inode: Inode, folio: Folio): number | undefined {
  const end_pos = folio_next_pos(folio);
  if (end_pos <= inode.i_size) return end_pos;
  if (folio_pos(folio) >= inode.i_size) return undefined;
  return inode.i_size;
}

/**
 * fs/iomap/buffered-io.c iomap_writepage_map(): all dirty blocks of the folio up to EOF. 0 or
 * -errno.
 */
function iomap_writepage_map(inode: Inode, wpc: WritepageContext, folio: Folio): number {
  assert(folio.dirty, "only what is dirty is written back");
  assert(folio.buffers === undefined, "a folio of the iomap path has no buffers");
  const end_pos = iomap_writepage_handle_eof(inode, folio);
  // folio_clear_dirty_for_io() was here before: a folio past EOF is not written, and clean all the
  // same.
  folio.dirty = false;
  if (end_pos === undefined) return 0;
  const size = inode.i_sb.s_blocksize;
  const start = folio_pos(folio);
  if (i_blocks_per_folio(inode, folio) > 1 && folio.ifs === undefined) {
    ifs_alloc(inode, folio);
    iomap_set_range_dirty(inode, folio, 0, end_pos - start);
  }
  folio.tagged = false;
  const blocks = Math.ceil((end_pos - start) / size);
  let error = 0;
  let range = iomap_find_dirty_range(folio, 0, blocks);
  while (range !== undefined && error === 0) {
    const run = { pos: start + range.from * size, end: start + range.end * size };
    error = mapRun(inode, wpc, run, end_pos);
    range = iomap_find_dirty_range(folio, range.end, blocks);
  }
  clearDirtyBlocks(folio);
  return error;
}

/**
 * fs/iomap/buffered-io.c iomap_writepages(), waited for, over the folios that have a byte in
 * [start, end]. 0 or -errno.
 */
export function iomap_writepages(inode: Inode, start: number, end: number): number {
  const wpc: WritepageContext = { iomap: undefined, range_end: end, ioends: [] };
  let error = 0;
  let dropped: Folio[] | undefined;
  for (const folio of dirtyFolios(inode, start, end)) {
    error = iomap_writepage_map(inode, wpc, folio);
    if (folio.dropbehind && folio_pos(folio) < inode.i_size) (dropped ??= []).push(folio);
    if (error !== 0) break;
  }
  for (const ioend of wpc.ioends) inode.i_sb.s_op.finish_ioend(inode, ioend);
  // An ioend with such a folio is always left to a worker (IOMAP_IOEND_DONTCACHE).
  for (const folio of dropped ?? []) filemap_end_dropbehind(inode, folio);
  return error;
}
