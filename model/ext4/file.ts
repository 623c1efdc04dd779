/**
 * write(2) and read(2), buffered and direct.
 *
 * Kernel:   fs/ext4/file.c ext4_buffered_write_iter(), ext4_dio_write_iter(),
 *           ext4_dio_write_checks(), ext4_extending_io(), ext4_dio_write_end_io(),
 *           ext4_handle_inode_extension(), ext4_inode_extension_cleanup(), ext4_dio_read_iter();
 *           fs/ext4/inode.c ext4_iomap_begin(), ext4_iomap_alloc(); fs/read_write.c
 *           generic_write_checks()
 * Left out: which lock a direct write takes and what it waits for (nothing else runs), the orphan
 *           list, IOCB_NOWAIT, atomic writes, DAX, O_SYNC; ext4_iomap_overwrite_begin() (until 6.x
 *           a write over nothing but written blocks looks them up as a read does: it finds what
 *           ext4_iomap_begin() finds)
 *
 * A direct write first has the page cache of its range written back and dropped, then gets blocks,
 * unwritten ones where its block begins before EOF and written ones past it, then writes, and only
 * then converts them and moves EOF. So one that fails on the way leaves unwritten blocks before
 * EOF; what it put into blocks that were written before stays there. Past EOF everything that it
 * made is freed.
 */
import { assert } from "../include/assert.ts";
import { EFBIG, EINVAL, ENOSPC } from "../include/errno.ts";
import type { Iomap, IomapOps } from "../include/iomap.ts";
import { iomap_dio_read, iomap_dio_write } from "../iomap/direct-io.ts";
import { filemap_read, filemap_write_and_wait_range } from "../mm/filemap.ts";
import { invalidate_mapping_pages } from "../mm/truncate.ts";
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
import type { CopiedBytes, Inode, MapBlocks, Source, UserMemory } from "../include/types.ts";
import {
  EXT4_GET_BLOCKS_CREATE,
  EXT4_GET_BLOCKS_CREATE_UNWRIT_EXT,
  ext4_convert_unwritten_extents,
  ext4_map_blocks,
} from "./extents.ts";
import { ext4_update_inode_size, truncateFailedWrite } from "./inode.ts";

/** fs/ext4/inode.c DIO_MAX_BLOCKS: blocks that a direct write gets at once. */
const DIO_MAX_BLOCKS = 4096;

const NOTHING: Inode["pastEof"] = [];

/** Blocks that the file has past EOF. */
function blocksPastEof({ i_extents, i_size, i_sb }: Inode): Inode["pastEof"] {
  const eof = Math.ceil(i_size / i_sb.s_blocksize);
  return i_extents.end > eof ? [...i_extents.within(eof, EXT_MAX_BLOCKS)] : NOTHING;
}

/**
 * fs/read_write.c generic_write_checks(): how much of `len` bytes fits into the largest file and
 * below `limit`, or -EFBIG. All that ext4_write_checks() does until 7.1.
 */
export function generic_write_checks(
  inode: Inode,
  pos: number,
  len: number,
  from: UserMemory,
  limit = Infinity,
): number {
  const most = Math.min(inode.i_sb.s_maxbytes, limit);
  if (pos >= most) return EFBIG;
  const count = Math.min(len, most - pos);
  assert(count >= 0, "a write does not end before it begins");
  from.readable = Math.min(from.readable, count);
  return count;
}

/**
 * fs/ext4/file.c ext4_write_checks() since 7.2: where the write begins past EOF, the rest of the
 * block that holds EOF is zeroed before it.
 */
export function ext4_write_checks(
  ...[inode, pos, ...rest]: Parameters<typeof generic_write_checks>
): number {
  const count = generic_write_checks(inode, pos, ...rest);
  const { i_size, i_sb } = inode;
  if (count >= 0 && pos > i_size) i_sb.s_op.ext4_block_zero_eof(inode, i_size, pos);
  return count;
}

/**
 * fs/ext4/file.c ext4_buffered_write_iter(): byte p of the file comes from `source`, as far as
 * `from` can be read.
 */
export function ext4_buffered_write_iter(
  inode: Inode,
  pos: number,
  len: number,
  from: UserMemory,
  source: Source | CopiedBytes,
  limit = Infinity,
): number {
  const { s_op } = inode.i_sb;
  const count = s_op.ext4_write_checks(inode, pos, len, from, limit);
  if (count < 0) return count;
  inode.pastEof = blocksPastEof(inode);
  const written = s_op.perform_write(inode, pos, count, from, source);
  assert(written <= count, "no more is written than was asked for");
  return written;
}

/** fs/ext4/inode.c ext4_set_iomap() */
function iomapOf(inode: Inode, map: MapBlocks): Iomap {
  const { s_blocksize } = inode.i_sb;
  const { m_flags } = map;
  assert(map.m_len > 0, "a mapping is not empty");
  const allocated =
    (m_flags & BH_Mapped) !== 0 ? WRITTEN : (m_flags & BH_Delay) !== 0 ? DELAYED : HOLE;
  return {
    type: (m_flags & BH_Unwritten) !== 0 ? UNWRITTEN : allocated,
    offset: map.m_lblk * s_blocksize,
    length: map.m_len * s_blocksize,
    isNew: (m_flags & BH_New) !== 0,
    stale: false,
    validity_cookie: inode.i_es_seq,
  };
}

/**
 * The blocks of bytes [offset, offset + length), or -EINVAL past the last one that a file can have.
 */
function blocksOf(inode: Inode, offset: number, length: number): MapBlocks | typeof EINVAL {
  const { s_blocksize } = inode.i_sb;
  const m_lblk = Math.floor(offset / s_blocksize);
  if (m_lblk >= EXT_MAX_BLOCKS) return EINVAL;
  const end = Math.min(Math.ceil((offset + length) / s_blocksize), EXT_MAX_BLOCKS);
  return { m_lblk, m_len: end - m_lblk, m_flags: 0 };
}

/** fs/ext4/inode.c ext4_iomap_begin() of a read. */
function ext4_iomap_begin_read(inode: Inode, offset: number, length: number): Iomap | number {
  const map = blocksOf(inode, offset, length);
  if (typeof map === "number") return map;
  ext4_map_blocks(inode, map, 0);
  return iomapOf(inode, map);
}

/**
 * fs/ext4/inode.c ext4_iomap_alloc(): what a crash could show must not be old data, so blocks
 * before EOF are unwritten until their data is there. Past EOF nothing shows before i_size moves.
 */
function ext4_iomap_alloc(inode: Inode, map: MapBlocks): number {
  const { s_op, s_blocksize } = inode.i_sb;
  map.m_len = Math.min(map.m_len, DIO_MAX_BLOCKS);
  const pastEof = map.m_lblk * s_blocksize >= inode.i_size;
  const flags = pastEof ? EXT4_GET_BLOCKS_CREATE : EXT4_GET_BLOCKS_CREATE_UNWRIT_EXT;
  for (let retries = 1; ; retries++) {
    const made = ext4_map_blocks(inode, map, flags);
    assert(made !== 0, "blocks that are asked for are there, or the call fails");
    if (made !== ENOSPC || !s_op.ext4_should_retry_alloc(inode, retries)) return made;
  }
}

/**
 * fs/ext4/inode.c ext4_iomap_begin() of a write: what is there, as long as EOF does not move; else
 * new blocks.
 */
function ext4_iomap_begin_write(inode: Inode, offset: number, length: number): Iomap | number {
  const map = blocksOf(inode, offset, length);
  if (typeof map === "number") return map;
  if (offset + length <= inode.i_size) {
    const found = { ...map };
    if (ext4_map_blocks(inode, found, 0) > 0) return iomapOf(inode, found);
  }
  const made = ext4_iomap_alloc(inode, map);
  return made < 0 ? made : iomapOf(inode, map);
}

const ext4_iomap_ops: IomapOps = { iomap_begin: ext4_iomap_begin_write };

const ext4_iomap_read_ops: IomapOps = { iomap_begin: ext4_iomap_begin_read };

/** fs/ext4/file.c ext4_dio_write_end_io(), of I/O that did not fail. */
function ext4_dio_write_end_io(inode: Inode, pos: number, size: number, unwritten: boolean): void {
  const { s_blocksize } = inode.i_sb;
  assert(size > 0 || !unwritten, "a direct write that wrote nothing converts nothing");
  if (unwritten) {
    const first = Math.floor(pos / s_blocksize);
    const end = Math.ceil((pos + size) / s_blocksize);
    assert(inode.i_extents.coveredFrom(first) >= end, "only blocks that are there are converted");
    ext4_convert_unwritten_extents(inode, first, end - first);
  }
  ext4_update_inode_size(inode, pos + size);
}

/** fs/ext4/file.c ext4_extending_io() */
function ext4_extending_io({ i_size, i_disksize }: Inode, offset: number, len: number): boolean {
  return offset + len > i_size || offset + len > i_disksize;
}

/**
 * What a direct write that failed past EOF owes: the blocks that it allocated there are freed, and
 * what fallocate(2) had put there before stays as it was.
 *
 * The kernel frees both: deviations/direct-write-frees-preallocation.ts.
 */
export function ext4_inode_extension_cleanup(inode: Inode): void {
  truncateFailedWrite(inode);
}

/**
 * The rest of a direct write, from `pos` on: through the page cache, which what was written leaves
 * again. What the direct part came to does not count where this fails.
 */
function writeThroughCache(
  inode: Inode,
  pos: number,
  len: number,
  from: UserMemory,
  source: Source,
): number {
  const written = ext4_buffered_write_iter(inode, pos, len, from, source);
  if (written <= 0) return written;
  const last = pos + written - 1;
  if (filemap_write_and_wait_range(inode, pos, last) === 0) {
    invalidate_mapping_pages(inode, pos, last);
  }
  return written;
}

/** fs/ext4/file.c ext4_dio_write_iter(): bytes written, or -errno. */
export function ext4_dio_write_iter(
  inode: Inode,
  pos: number,
  len: number,
  from: UserMemory,
  source: Source,
): number {
  const { s_op, s_blocksize } = inode.i_sb;
  if (!s_op.ext4_should_use_dio(inode)) {
    return ext4_buffered_write_iter(inode, pos, len, from, source);
  }
  const count = generic_write_checks(inode, pos, len, from);
  if (count < 0) return count;
  inode.pastEof = blocksPastEof(inode);
  const extend = ext4_extending_io(inode, pos, count);
  const write = { pos, len: count, readable: from.readable, source };
  const direct = iomap_dio_write(inode, write, ext4_iomap_ops, ext4_dio_write_end_io);
  if (direct < 0 && extend) {
    s_op.ext4_inode_extension_cleanup(inode);
    inode.contents.delete(Math.ceil(inode.i_size / s_blocksize) * s_blocksize, Infinity);
  }
  assert(direct <= count, "no more is written than was asked for");
  if (direct < 0 || direct === count) return direct;
  from.readable -= direct;
  const rest = writeThroughCache(inode, pos + direct, count - direct, from, source);
  return rest < 0 ? rest : direct + rest;
}

/** fs/ext4/file.c ext4_dio_read_iter(): bytes read, or -errno. */
export function ext4_dio_read_iter(inode: Inode, pos: number, len: number): number {
  if (!inode.i_sb.s_op.ext4_should_use_dio(inode)) return filemap_read(inode, pos, len);
  return iomap_dio_read(inode, pos, len, ext4_iomap_read_ops);
}
