/**
 * Giving back what a delayed write reserved and did not use.
 *
 * Kernel:   fs/iomap/buffered-io.c iomap_write_delalloc_release() and what it calls;
 *           include/linux/iomap.h iomap_last_written_block(); mm/filemap.c mapping_seek_hole_data()
 *
 * Blocks under dirty data keep their reservation, whoever dirtied them (a store through a mapping
 * may have): they will be written. Past EOF nothing ever is, so everything is given back there.
 */
import { assert } from "../include/assert.ts";
import { filemap_get_folio, folio_next_pos, folio_pos, pageOf } from "../mm/folio.ts";
import { IFS_DIRTY, PAGE_SIZE } from "../include/types.ts";
import type { Folio, Inode } from "../include/types.ts";

/**
 * include/linux/iomap.h iomap_last_written_block(): the end of the last block that a write put
 * something into, bytes.
 */
export function iomap_last_written_block(inode: Inode, pos: number, written: number): number {
  const size = inode.i_sb.s_blocksize;
  assert(written >= 0, "a write that ended did not write less than nothing");
  return written === 0 ? pos - (pos % size) : Math.ceil((pos + written) / size) * size;
}

/**
 * Whether the block of the folio that holds byte `pos` has data, as mm/filemap.c
 * folio_seek_hole_data() tells.
 */
function hasData(inode: Inode, folio: Folio, pos: number): boolean {
  if (folio.uptodate) return true;
  const size = inode.i_sb.s_blocksize;
  const offset = pos - folio_pos(folio);
  const start = offset - (offset % size);
  return inode.i_sb.s_op.is_partially_uptodate(inode, folio, start, start + size);
}

/** Cached data: bytes [start, end) of a folio. */
interface Data {
  folio: Folio;
  start: number;
  end: number;
}

/**
 * mm/filemap.c mapping_seek_hole_data(): the first data in [pos, end), as far as it lies in one
 * folio.
 */
function nextData(inode: Inode, pos: number, end: number): Data | undefined {
  const size = inode.i_sb.s_blocksize;
  const nextBlock = (at: number): number => at - (at % size) + size;
  for (let at = pos; at < end;) {
    const folio = filemap_get_folio(inode, pageOf(at));
    if (folio === undefined) {
      at = (pageOf(at) + 1) * PAGE_SIZE;
      continue;
    }
    const last = Math.min(folio_next_pos(folio), end);
    while (at < last && !hasData(inode, folio, at)) at = nextBlock(at);
    if (at >= last) continue;
    const start = at;
    while (at < last && hasData(inode, folio, at)) at = nextBlock(at);
    assert(pos <= start && start < at, "cached data that is found is not empty");
    return { folio, start, end: Math.min(at, last) };
  }
  return undefined;
}

/** fs/iomap/buffered-io.c iomap_write_delalloc_ifs_punch(): the clean blocks of a dirty folio. */
function punchCleanBlocks(inode: Inode, { folio, start, end }: Data): void {
  const { ifs } = folio;
  if (ifs === undefined) return;
  const size = inode.i_sb.s_blocksize;
  const pos = folio_pos(folio);
  const last = Math.floor((end - 1 - pos) / size);
  assert(last < ifs.length, "data that is found in a folio ends in it");
  for (let b = Math.floor((start - pos) / size); b <= last; b++) {
    if (((ifs[b] as number) & IFS_DIRTY) !== 0) continue;
    inode.i_sb.s_op.ext4_iomap_punch_delalloc(inode, pos + b * size, size);
  }
}

/**
 * fs/iomap/buffered-io.c iomap_write_delalloc_release(): give back the delayed blocks of
 * [start_byte, end_byte) that have no dirty data before EOF.
 */
export function iomap_write_delalloc_release(
  inode: Inode,
  start_byte: number,
  end_byte: number,
): void {
  assert(start_byte < end_byte, "what a write releases is not empty");
  const scan_end = Math.min(inode.i_size, end_byte);
  const punch = (from: number, to: number): void => {
    if (from < to) inode.i_sb.s_op.ext4_iomap_punch_delalloc(inode, from, to - from);
  };
  let punched = start_byte;
  let data = nextData(inode, start_byte, scan_end);
  while (data !== undefined) {
    assert(punched <= data.start && data.end <= scan_end, "data is looked for in its order");
    if (data.folio.dirty) {
      punch(punched, data.start);
      punchCleanBlocks(inode, data);
      punched = data.end;
    }
    data = nextData(inode, data.end, scan_end);
  }
  punch(punched, end_byte);
}
