/**
 * What ext4 tells the iomap code when a file is written, read or zeroed: the subject of the patch.
 *
 * Kernel:   fs/ext4/inode.c ext4_set_iomap(), ext4_iomap_valid(), ext4_iomap_get_blocks(),
 *           ext4_iomap_buffered_begin() and its callers, ext4_iomap_punch_delalloc(),
 *           ext4_iomap_buffered_da_write_end(), ext4_iomap_page_mkwrite(), ext4_iomap_zero_range();
 *           fs/ext4/file.c ext4_iomap_buffered_write(), with the patch series applied
 * Left out: IOMAP_F_DIRTY and IOMAP_F_MERGED, inline data, journal credits
 */
import { assert } from "../include/assert.ts";
import { ENOMEM, ENOSPC } from "../include/errno.ts";
import {
  iomap_file_buffered_write,
  iomap_page_mkwrite,
  iomap_read_folio,
} from "../iomap/buffered-io.ts";
import type { Iomap, IomapOps } from "../include/iomap.ts";
import {
  BH_Delay,
  BH_Mapped,
  BH_New,
  BH_Unwritten,
  DELAYED,
  EXT_MAX_BLOCKS,
  HOLE,
  UNWRITTEN,
  WRITTEN,
} from "../include/types.ts";
import type { CopiedBytes, Folio, Inode, MapBlocks, Source, UserMemory } from "../include/types.ts";
import { EXT4_GET_BLOCKS_CREATE_UNWRIT_EXT, ext4_map_blocks } from "./extents.ts";

/** fs/ext4/inode.c ext4_set_iomap() */
export function ext4_set_iomap(inode: Inode, map: MapBlocks): Iomap {
  const size = inode.i_sb.s_blocksize;
  const flags = map.m_flags;
  assert(
    (flags & BH_Delay) === 0 || (flags & (BH_Unwritten | BH_Mapped)) === 0,
    "a delayed mapping has no blocks",
  );
  return {
    type:
      (flags & BH_Unwritten) !== 0
        ? UNWRITTEN
        : (flags & BH_Mapped) !== 0
          ? WRITTEN
          : (flags & BH_Delay) !== 0
            ? DELAYED
            : HOLE,
    offset: map.m_lblk * size,
    length: map.m_len * size,
    isNew: (flags & BH_New) !== 0,
    stale: false,
    validity_cookie: inode.i_es_seq,
  };
}

/** fs/ext4/inode.c ext4_iomap_valid(): no extent of the file has changed since. */
export function ext4_iomap_valid(inode: Inode, iomap: Iomap): boolean {
  return iomap.validity_cookie === inode.i_es_seq;
}

/**
 * fs/ext4/inode.c ext4_iomap_get_blocks(): blocks for a write without delayed allocation, unwritten
 * where they are new. Inside i_size they are looked up first, which needs no transaction. 0 or
 * -errno.
 */
export function ext4_iomap_get_blocks(inode: Inode, map: MapBlocks): number {
  const blocks = Math.ceil(inode.i_size / inode.i_sb.s_blocksize);
  if (map.m_lblk + map.m_len <= blocks) {
    ext4_map_blocks(inode, map, 0);
    if ((map.m_flags & (BH_Mapped | BH_Unwritten | BH_Delay)) !== 0) return 0;
  }
  return Math.min(0, ext4_map_blocks(inode, map, EXT4_GET_BLOCKS_CREATE_UNWRIT_EXT));
}

/** The blocks that have a byte in [offset, offset + length). */
function blocksOf(inode: Inode, offset: number, length: number): MapBlocks {
  const size = inode.i_sb.s_blocksize;
  const m_lblk = Math.floor(offset / size);
  const last = Math.min(Math.floor((offset + length - 1) / size), EXT_MAX_BLOCKS - 1);
  return { m_lblk, m_len: last - m_lblk + 1, m_flags: 0 };
}

/**
 * fs/ext4/inode.c ext4_iomap_buffered_begin() for a read, and for zeroing, which allocates nothing.
 */
function ext4_iomap_buffered_read_begin(inode: Inode, offset: number, length: number): Iomap {
  const map = blocksOf(inode, offset, length);
  ext4_map_blocks(inode, map, 0);
  return ext4_set_iomap(inode, map);
}

/**
 * fs/ext4/inode.c ext4_iomap_buffered_begin() for a write: blocks from `get`, with a retry where
 * space may come free.
 */
function beginWrite(
  inode: Inode,
  offset: number,
  length: number,
  get: (map: MapBlocks) => number,
): Iomap | number {
  const { s_op } = inode.i_sb;
  if (inode.failure?.mapping(offset) === true) return ENOMEM;
  for (let retries = 0; ;) {
    const map = blocksOf(inode, offset, length);
    const ret = get(map);
    if (ret === ENOSPC) {
      retries += 1;
      if (s_op.ext4_should_retry_alloc(inode, retries)) continue;
    }
    return ret < 0 ? ret : s_op.ext4_set_iomap(inode, map);
  }
}

function ext4_iomap_buffered_write_begin(
  inode: Inode,
  offset: number,
  length: number,
): Iomap | number {
  return beginWrite(inode, offset, length, (map) =>
    inode.i_sb.s_op.ext4_iomap_get_blocks(inode, map),
  );
}

function ext4_iomap_buffered_da_write_begin(
  inode: Inode,
  offset: number,
  length: number,
): Iomap | number {
  return beginWrite(inode, offset, length, (map) => inode.i_sb.s_op.ext4_da_map_blocks(inode, map));
}

/**
 * fs/ext4/inode.c ext4_iomap_punch_delalloc(): gives back the blocks of which nothing lies outside
 * of [offset, offset + length). The series gives back the first one in any case: see the deviation
 * release-takes-block-of-eof.
 */
export function ext4_iomap_punch_delalloc(inode: Inode, offset: number, length: number): void {
  const size = inode.i_sb.s_blocksize;
  assert((offset + length) % size === 0, "what is given back ends with a block");
  const lblk = Math.ceil(offset / size);
  const blocks = (offset + length) / size - lblk;
  if (blocks > 0) inode.i_sb.s_op.ext4_es_remove_extent(inode, lblk, blocks);
}

/**
 * fs/ext4/inode.c ext4_iomap_buffered_da_write_end(): what this write reserved and did not fill is
 * given back. What was reserved before is not ours to give.
 */
export function ext4_iomap_buffered_da_write_end(
  inode: Inode,
  offset: number,
  length: number,
  written: number,
  iomap: Iomap,
): void {
  const { s_op, s_blocksize } = inode.i_sb;
  if (iomap.type !== DELAYED || !iomap.isNew) return;
  const start_byte = s_op.iomap_last_written_block(inode, offset, written);
  const end_byte = Math.ceil((offset + length) / s_blocksize) * s_blocksize;
  if (start_byte >= end_byte) return;
  s_op.iomap_write_delalloc_release(inode, start_byte, end_byte);
}

/** fs/ext4/inode.c ext4_iomap_buffered_read_ops */
const ext4_iomap_buffered_read_ops: IomapOps = { iomap_begin: ext4_iomap_buffered_read_begin };

/** fs/ext4/inode.c ext4_iomap_buffered_write_ops */
const ext4_iomap_buffered_write_ops: IomapOps = { iomap_begin: ext4_iomap_buffered_write_begin };

/** fs/ext4/inode.c ext4_iomap_buffered_da_write_ops */
const ext4_iomap_buffered_da_write_ops: IomapOps = {
  iomap_begin: ext4_iomap_buffered_da_write_begin,
  iomap_end: (inode, ...rest) => {
    inode.i_sb.s_op.ext4_iomap_buffered_da_write_end(inode, ...rest);
  },
};

/** The operations that writes use on a delalloc mount: chosen anew by each of them. */
function delallocOps(inode: Inode): IomapOps {
  return inode.i_sb.s_op.ext4_nonda_switch(inode.i_sb)
    ? ext4_iomap_buffered_write_ops
    : ext4_iomap_buffered_da_write_ops;
}

function writeWith(choose: (inode: Inode) => IomapOps) {
  return (
    inode: Inode,
    pos: number,
    len: number,
    from: UserMemory,
    source: Source | CopiedBytes,
  ): number => iomap_file_buffered_write(inode, pos, len, from, source, choose(inode));
}

function mkwriteWith(choose: (inode: Inode) => IomapOps) {
  return (inode: Inode, folio: Folio): number => iomap_page_mkwrite(inode, folio, choose(inode));
}

const always = (): IomapOps => ext4_iomap_buffered_write_ops;

/** fs/ext4/file.c ext4_iomap_buffered_write() on a delalloc mount. */
export const ext4_iomap_buffered_da_write = writeWith(delallocOps);

/** fs/ext4/file.c ext4_iomap_buffered_write() on a nodelalloc mount. */
export const ext4_iomap_buffered_write = writeWith(always);

/** fs/ext4/inode.c ext4_iomap_page_mkwrite() on a delalloc mount. */
export const ext4_iomap_da_page_mkwrite = mkwriteWith(delallocOps);

/** fs/ext4/inode.c ext4_iomap_page_mkwrite() on a nodelalloc mount. */
export const ext4_iomap_page_mkwrite = mkwriteWith(always);

/** fs/ext4/inode.c ext4_iomap_read_folio() */
export function ext4_iomap_read_folio(inode: Inode, folio: Folio): void {
  iomap_read_folio(inode, folio, ext4_iomap_buffered_read_ops);
}

/**
 * fs/ext4/inode.c ext4_iomap_zero_range(): zeros in bytes [from, from + length) of one block.
 * Whether any were needed.
 */
export function ext4_iomap_zero_range(inode: Inode, from: number, length: number): boolean {
  const size = inode.i_sb.s_blocksize;
  const len = Math.min(length, size - (from % size));
  assert(len > 0, "what is zeroed is not empty");
  return inode.i_sb.s_op.iomap_zero_range(inode, from, len, ext4_iomap_buffered_read_ops);
}
