/**
 * The calls of the model: what a user of a file on this file system can do, and what can be seen of
 * it.
 *
 * Kernel: fs/ext4/file.c ext4_file_write_iter(), ext4_file_read_iter(), fs/ext4/fsync.c
 *         ext4_sync_file(), fs/sync.c ksys_sync_file_range(), mm/fadvise.c generic_fadvise(),
 *         fs/open.c vfs_fallocate()
 */
import { assert } from "./include/assert.ts";
import { emptyContents } from "./include/contents.ts";
import { EFAULT, EFBIG } from "./include/errno.ts";
import { ext4_collapse_range, ext4_do_fallocate, ext4_insert_range } from "./ext4/fallocate.ts";
import { ext4_map_query_blocks } from "./ext4/extents.ts";
import { ext4_buffered_write_iter, ext4_dio_read_iter, ext4_dio_write_iter } from "./ext4/file.ts";
import { ext4_sync_file } from "./ext4/fsync.ts";
import { IntervalMap } from "./include/interval-map.ts";
import { file_check_and_advance_wb_err, filemap_read, storeThroughMapping } from "./mm/filemap.ts";
import { invalidate_mapping_pages } from "./mm/truncate.ts";
import { directBytes, pattern, patternOffset, UNKNOWN_TAG } from "./include/pattern.ts";
import { emptyDisk } from "./ext4/power-cut.ts";
import { operationsFor } from "./tables.ts";
import type { ModelConfig, Override } from "./tables.ts";
import { EXT_MAX_BLOCKS, PAGE_SIZE, WRITTEN } from "./include/types.ts";
import type { Committed, Inode, MemoryFailure, Refusal, SuperBlock } from "./include/types.ts";

/**
 * Order of a 2 MiB folio: the page cache has none larger on x86-64 (include/linux/pagemap.h
 * MAX_PAGECACHE_ORDER).
 */
const MAX_PAGECACHE_ORDER = 9;

/** fs/ext4/super.c: extent_max_zeroout_kb is 32 unless sysfs says otherwise. */
const EXTENT_MAX_ZEROOUT_KB = 32;

/** fs/ext4/super.c ext4_fill_super(), as far as the write path can tell. */
export function createFileSystem(
  config: ModelConfig,
  overrides: readonly Override[] = [],
): SuperBlock {
  assert(config.blockSize <= PAGE_SIZE, "a block is no larger than a page");
  assert(config.freeBlocks >= 0, "no fewer than no blocks are free");
  const s_op = operationsFor(config, overrides);
  const large = s_op.ext4_should_enable_large_folio(config.journal);
  return {
    s_op,
    s_blocksize: config.blockSize,
    s_blocksize_bits: Math.log2(config.blockSize),
    s_blocks_per_group: 8 * config.blockSize,
    s_maxbytes: EXT_MAX_BLOCKS * config.blockSize,
    s_max_folio_order: large ? MAX_PAGECACHE_ORDER : 0,
    s_ra_pages: config.readAheadPages ?? 0,
    s_extent_max_zeroout: (EXTENT_MAX_ZEROOUT_KB * 1024) / config.blockSize,
    s_journal: config.journal !== "none",
    s_commits: 0,
    s_inodes: new Set(),
    s_recordsDisk: true,
    s_freeclusters_counter: config.freeBlocks,
    s_mb_free_pending: 0,
    s_freedUnknown: false,
    s_dirtyclusters_counter: 0,
    s_reserve: config.reserve,
    beyondModel: false,
    s_wroteBack: false,
  };
}

/** A new, empty regular file. */
export function createInode(sb: SuperBlock): Inode {
  const inode: Inode = {
    i_sb: sb,
    i_blkbits: sb.s_blocksize_bits,
    i_size: 0,
    i_disksize: 0,
    raw_i_size: 0,
    i_datasync_tid: sb.s_commits,
    i_extents: new IntervalMap(),
    i_es_tree: new IntervalMap(),
    i_es_seq: 0,
    i_reserved_data_blocks: 0,
    allocatesOnClose: false,
    i_prealloc: [],
    fellBack: false,
    pastEof: [],
    f_ra: { start: 0, size: 0, async_size: 0, order: 0 },
    i_mapping: [],
    i_dirty: new Set(),
    jinode: undefined,
    contents: emptyContents(),
    disk: sb.s_recordsDisk ? emptyDisk() : undefined,
    maybeZeroed: new IntervalMap(),
    zeroedOnDisk: new IntervalMap(),
    oracle: undefined,
    refuses: undefined,
    failure: undefined,
    refused: new IntervalMap(),
    wb_err: 0,
    mayHaveError: false,
    breaks: new Set(),
    sizeUntold: false,
    uncertain: false,
    deviated: new Set(),
  };
  sb.s_inodes.add(inode);
  return inode;
}

/**
 * The last descriptor of the file is closed: fs/ext4/file.c ext4_release_file() and fs/ext4/inode.c
 * ext4_alloc_da_blocks(). A file that was emptied since the last time (auto_da_alloc) is written
 * back, even if nothing has its name any more.
 */
function ext4_release_file(inode: Inode): void {
  const { allocatesOnClose, i_reserved_data_blocks } = inode;
  inode.allocatesOnClose = false;
  if (allocatesOnClose && i_reserved_data_blocks > 0)
    inode.i_sb.s_op.writepages(inode, 0, Infinity);
}

/** The last name and descriptor of the file are gone: fs/ext4/inode.c ext4_evict_inode(). */
export function evictInode(inode: Inode): void {
  const { s_op, s_inodes } = inode.i_sb;
  s_inodes.delete(inode);
  s_op.ext4_es_remove_extent(inode, 0, EXT_MAX_BLOCKS);
  s_op.ext4_ext_remove_space(inode, 0, EXT_MAX_BLOCKS);
}

/**
 * unlink(2) of a file that nobody else has open, and a new one of its name. Until a commit the name
 * in the journal is that of the one before, whose blocks nobody is given yet.
 */
export function unlinkAndCreate(inode: Inode): Inode {
  const { i_sb, disk } = inode;
  ext4_release_file(inode);
  evictInode(inode);
  const created = createInode(i_sb);
  created.sizeUntold = inode.sizeUntold;
  if (created.disk !== undefined) created.disk.committed = disk?.committed;
  return created;
}

const nothing = (): void => {};

/**
 * pwrite(2) from a buffer of which `readable` bytes are mapped, by a process that may make files of
 * `limit` bytes (fs/read_write.c generic_write_check_limits()). Bytes written, or -errno.
 */
export function pwrite(
  inode: Inode,
  pos: number,
  len: number,
  readable: number,
  tag: number,
  limit = Infinity,
): number {
  const source = { tag, delta: patternOffset(readable) - pos };
  return ext4_buffered_write_iter(inode, pos, len, { readable, fault: nothing }, source, limit);
}

/**
 * pwrite(2) through a descriptor opened with O_DIRECT, from a buffer that begins on a page and of
 * which `readable` bytes are mapped. Bytes written, or -errno.
 */
export function directWrite(
  inode: Inode,
  pos: number,
  len: number,
  readable: number,
  tag: number,
): number {
  const source = { tag, delta: patternOffset(directBytes(readable)) - pos };
  return ext4_dio_write_iter(inode, pos, len, { readable, fault: nothing }, source);
}

/** pread(2) through a descriptor opened with O_DIRECT. Bytes read, or -errno. */
export function directRead(inode: Inode, pos: number, len: number): number {
  return ext4_dio_read_iter(inode, pos, len);
}

/**
 * include/linux/fs.h generic_write_sync(), after `written` bytes at `pos` of a file that is open
 * with O_DSYNC ("data") or O_SYNC ("all"): what the call returns then.
 */
export function generic_write_sync(
  inode: Inode,
  pos: number,
  written: number,
  sync: "data" | "all",
): number {
  if (written <= 0) return written;
  const error = ext4_sync_file(inode, pos, pos + written - 1, sync === "data");
  return error < 0 ? error : written;
}

/**
 * pwrite(2) from a buffer whose bytes from `pause_at` on are not there yet: where the writer comes
 * to them it sleeps, while `asleep` runs. That says whether the bytes are there afterwards; if not,
 * the write ends short. Bytes written, or -errno.
 */
export function pausedWrite(
  inode: Inode,
  { pos, len, pause_at }: { pos: number; len: number; pause_at: number },
  tag: number,
  asleep: () => boolean,
): number {
  const source = { tag, delta: patternOffset(len) - pos };
  const memory = { readable: pause_at, fault: nothing };
  memory.fault = (): void => {
    memory.fault = nothing;
    if (asleep()) memory.readable += len - pause_at;
  };
  return ext4_buffered_write_iter(inode, pos, len, memory, source);
}

/**
 * FS_IOC_FIEMAP over blocks [lblk, end), for what it leaves behind: the kernel looks every block
 * up, and remembers (fs/ext4/extents.c ext4_fiemap(), fs/ext4/inode.c ext4_iomap_begin_report()).
 * How far a later write is mapped at once depends on how large a hole the extent status tree knows
 * of.
 */
export function fiemap(inode: Inode, lblk: number, end: number): void {
  const map = { m_lblk: lblk, m_len: 0, m_flags: 0 };
  const last = Math.min(end, EXT_MAX_BLOCKS);
  while (map.m_lblk < last) {
    map.m_lblk = inode.i_es_tree.coveredFrom(map.m_lblk);
    if (map.m_lblk >= last) return;
    map.m_len = last - map.m_lblk;
    ext4_map_query_blocks(inode, map);
    map.m_lblk += map.m_len;
  }
}

/**
 * Stores through a shared mapping into [pos, pos + len), which lies inside i_size. 0, or -EFAULT
 * where a program would have died of it.
 */
export function mmapWrite(inode: Inode, pos: number, len: number, tag: number): number {
  const stored = storeThroughMapping(inode, pos, len);
  if (stored > 0) inode.contents.set(pos, pos + stored, { tag, delta: patternOffset(len) - pos });
  return stored < len ? EFAULT : 0;
}

/** pread(2). Bytes read, or -errno. */
export function pread(inode: Inode, pos: number, len: number): number {
  return filemap_read(inode, pos, len);
}

/** Where of `len` bytes at `pos` anything may be read; `bytesAt` has zeros there. */
export function unknownBytes(
  { contents }: Pick<Inode, "contents">,
  pos: number,
  len: number,
): { start: number; end: number }[] {
  const unknown = [...contents.within(pos, pos + len)].filter(
    ({ value }) => value.tag === UNKNOWN_TAG,
  );
  return unknown.map(({ start, end }) => ({ start, end }));
}

/**
 * What a read of `len` bytes at `pos` returns, or would return after the file was dropped from
 * memory.
 */
export function bytesAt(
  { contents }: Pick<Inode, "contents">,
  pos: number,
  len: number,
): Uint8Array {
  const bytes = new Uint8Array(len);
  for (const { start, end, value } of contents.within(pos, pos + len)) {
    if (value.tag === UNKNOWN_TAG) continue;
    const from = start + value.delta;
    bytes.set(pattern(value.tag).subarray(from, from + end - start), start - pos);
  }
  return bytes;
}

/**
 * The bytes of an inode after a power cut in `ranges`, one after the other; undefined where some
 * are not known.
 */
export function bytesAfterCut(
  committed: Committed,
  ranges: readonly { pos: number; end: number }[],
): Uint8Array | undefined {
  const unknown = ({ pos, end }: { pos: number; end: number }): boolean =>
    unknownBytes(committed, pos, end - pos).length > 0;
  if (!committed.known || ranges.some(unknown)) return undefined;
  const length = ranges.reduce((sum, { pos, end }) => sum + end - pos, 0);
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const { pos, end } of ranges) {
    bytes.set(bytesAt(committed, pos, end - pos), at);
    at += end - pos;
  }
  return bytes;
}

/**
 * What a direct read of `len` bytes at `pos` returned: what the disk has, and zeros where no block
 * has been written.
 */
export function bytesOnDisk(inode: Inode, pos: number, len: number): Uint8Array {
  const { s_op, s_blocksize: size } = inode.i_sb;
  if (!s_op.ext4_should_use_dio(inode)) return bytesAt(inode, pos, len);
  const bytes = new Uint8Array(len);
  const [from, to] = [Math.floor(pos / size), Math.ceil((pos + len) / size)];
  for (const { start, end, value } of inode.i_extents.within(from, to)) {
    if (value !== WRITTEN) continue;
    const at = Math.max(pos, start * size);
    const until = Math.min(pos + len, end * size);
    if (at < until) bytes.set(bytesAt(inode, at, until - at), at - pos);
  }
  return bytes;
}

/** fsync(2) */
export function fsync(inode: Inode): number {
  return ext4_sync_file(inode, 0, Infinity, false);
}

/** A call while the device refuses data. What it returns. */
export function withoutRoom(inode: Inode, refuses: Refusal, call: () => number): number {
  assert(inode.refuses === undefined, "a call that lacks room is not part of another");
  inode.refuses = refuses;
  const result = call();
  inode.refuses = undefined;
  return result;
}

/** A write that comes to an allocation of memory which fails. What it returns. */
export function withoutMemory(inode: Inode, failure: MemoryFailure, call: () => number): number {
  assert(inode.failure === undefined, "a call that lacks memory is not part of another");
  inode.failure = failure;
  const result = call();
  inode.failure = undefined;
  return result;
}

/** Passes of writeback that leave nothing which more of them would clean. */
const MANY_PASSES = 8;

/**
 * Whether unmounting warns that data of this file will be lost (fs/ext4/inode.c ext4_evict_inode():
 * the page cache still lists a dirty folio). Call it last: it writes back like unmounting, which
 * makes as many passes as it likes; where their number decides, the answer is undefined.
 */
export function warnsAtUnmount(inode: Inode): boolean | undefined {
  const tagged = (): boolean => inode.i_mapping.some((folio) => folio.tagged);
  if (inode.uncertain) return undefined;
  if (!tagged()) return false;
  for (let i = 0; i < MANY_PASSES; i++) fsync(inode);
  return tagged() ? true : undefined;
}

/** sync_file_range(2) with SYNC_FILE_RANGE_WRITE_AND_WAIT */
export function sync_file_range(inode: Inode, pos: number, len: number): number {
  // SYNC_FILE_RANGE_WAIT_BEFORE comes first, and ends the call where it finds an error.
  const before = file_check_and_advance_wb_err(inode);
  if (before < 0) return before;
  inode.i_sb.s_op.writepages(inode, pos, pos + len - 1);
  return file_check_and_advance_wb_err(inode);
}

/**
 * sync_file_range(2) with SYNC_FILE_RANGE_WRITE alone: what is dirty is on its way to the device, and
 * there before anybody looks. Nobody is told what the device said.
 */
export function sync_file_range_write(inode: Inode, pos: number, len: number): number {
  inode.i_sb.s_op.writepages(inode, pos, pos + len - 1);
  return 0;
}

/**
 * fsync(2), then posix_fadvise(POSIX_FADV_DONTNEED): mm/fadvise.c writes back once more before it
 * drops.
 */
export function dropCache(inode: Inode): number {
  const error = fsync(inode);
  if (error < 0) return error;
  inode.i_sb.s_op.writepages(inode, 0, Infinity);
  invalidate_mapping_pages(inode);
  return 0;
}

/** ftruncate(2). 0 or -errno. */
export function ftruncate(inode: Inode, size: number): number {
  return inode.i_sb.s_op.ext4_setattr(inode, size);
}

/** The ways of fallocate(2), by the names of their flags. */
const fallocateModes = {
  allocate: (inode: Inode, pos: number, len: number) => ext4_do_fallocate(inode, pos, len, false),
  keep_size: (inode: Inode, pos: number, len: number) => ext4_do_fallocate(inode, pos, len, true),
  punch_hole: (inode: Inode, pos: number, len: number) =>
    inode.i_sb.s_op.ext4_punch_hole(inode, pos, len),
  zero_range: (inode: Inode, pos: number, len: number) =>
    inode.i_sb.s_op.ext4_zero_range(inode, pos, len, false),
  zero_range_keep_size: (inode: Inode, pos: number, len: number) =>
    inode.i_sb.s_op.ext4_zero_range(inode, pos, len, true),
  collapse_range: ext4_collapse_range,
  insert_range: ext4_insert_range,
};

/**
 * fallocate(2): fs/open.c vfs_fallocate() refuses what reaches past the largest file, whatever the
 * mode.
 */
export function fallocate(
  inode: Inode,
  mode: keyof typeof fallocateModes,
  pos: number,
  len: number,
): number {
  if (pos + len > inode.i_sb.s_maxbytes) return EFBIG;
  return fallocateModes[mode](inode, pos, len);
}
