/**
 * Buffered writes, reads and page faults of the iomap path.
 *
 * Kernel:   fs/iomap/buffered-io.c iomap_file_buffered_write(), iomap_write_iter(),
 *           iomap_write_begin(), iomap_write_end(), iomap_write_failed(), iomap_read_folio(),
 *           iomap_page_mkwrite()
 * Left out: IOMAP_NOWAIT, fatal signals, throttling of dirty pages, reads that fail
 */
import { assert } from "../include/assert.ts";
import { putBytes } from "../include/contents.ts";
import { EFAULT, ENOMEM } from "../include/errno.ts";
import {
  filemap_dirty_folio,
  folio_next_pos,
  folio_pos,
  folio_size,
  write_begin_get_folio,
} from "../mm/folio.ts";
import { IFS_UPTODATE, PAGE_SIZE, WRITTEN } from "../include/types.ts";
import type { CopiedBytes, Folio, Inode, Source, UserMemory } from "../include/types.ts";
import { faultIn, noMemoryAt } from "../mm/filemap.ts";
import { pagecache_isize_extended } from "../mm/truncate.ts";
import { ifs_alloc, iomap_set_range_dirty, iomap_set_range_uptodate } from "./folio-state.ts";
import { iomap_iter } from "./iomap.ts";
import type { Iomap, IomapOps } from "../include/iomap.ts";
import type { Operations } from "../include/operations.ts";
import type { IomapRound } from "./iomap.ts";

/** struct iov_iter: what is left of the user's buffer. */
interface UserBuffer {
  left: number;
  memory: UserMemory;
}

/** Bytes [from, to) of a folio. */
interface Range {
  from: number;
  to: number;
}

/**
 * fs/iomap/buffered-io.c iomap_adjust_read_range(): the first run of blocks in bytes [from, to) of
 * the folio that are not uptodate, up to the end of the block that holds EOF where it lies inside.
 * Undefined where all are.
 */
function iomap_adjust_read_range(
  inode: Inode,
  folio: Folio,
  { from, to }: Range,
): Range | undefined {
  const { ifs } = folio;
  const bits = inode.i_blkbits;
  const end = Math.min(to, folio_size(folio)) >> bits;
  let first = from >> bits;
  let last = end;
  if (ifs !== undefined) {
    const uptodate = (b: number): boolean => ((ifs[b] as number) & IFS_UPTODATE) !== 0;
    while (first < end && uptodate(first)) first += 1;
    last = Math.min(first + 1, end);
    while (last < end && !uptodate(last)) last += 1;
  }
  if (first === last) return undefined;
  const eof = inode.i_size - folio_pos(folio);
  if (from <= eof && to > eof) {
    const inside = ((eof - 1) >> bits) + 1;
    if (first < inside && last > inside) last = inside;
  }
  return { from: first << bits, to: last << bits };
}

/**
 * fs/iomap/buffered-io.c iomap_block_needs_zeroing(): byte `pos` has nothing to be read, if the
 * mapping is to be believed.
 */
function iomap_block_needs_zeroing(inode: Inode, iomap: Iomap, pos: number): boolean {
  return iomap.type !== WRITTEN || iomap.isNew || pos >= inode.i_size;
}

/**
 * fs/iomap/buffered-io.c __iomap_write_begin(): bring in the blocks that bytes [from, to) of the
 * folio cover only in part. Those beside them that are not uptodate count as brought in with them.
 * A mapping that has gone stale may say that there is nothing, where there is: then it is lost.
 *
 * @param zeroed whether what was zeroed for want of data is uptodate already
 */
function writeBegin(zeroed: boolean): Operations["__iomap_write_begin"] {
  return (inode, iomap, folio, from, to) => {
    const size = inode.i_sb.s_blocksize;
    if (from === 0 && to === folio_size(folio)) return;
    ifs_alloc(inode, folio);
    if (folio.uptodate) return;
    const end = Math.ceil(to / size) * size;
    for (let at = from - (from % size); at < end;) {
      const part = iomap_adjust_read_range(inode, folio, { from: at, to: end });
      if (part === undefined) break;
      const cut = (edge: number): boolean => edge > part.from && edge < part.to;
      if (cut(from) || cut(to)) {
        const at = folio_pos(folio) + part.from;
        const isNothing = iomap_block_needs_zeroing(inode, iomap, at);
        if (isNothing) inode.contents.delete(at, folio_pos(folio) + part.to);
        if (zeroed || !isNothing) {
          iomap_set_range_uptodate(inode, folio, part.from, part.to - part.from);
        }
      }
      at = part.to;
    }
  };
}

/** The same up to 6.19: what was zeroed is uptodate at once, so a short copy into it is accepted. */
export const __iomap_write_begin = writeBegin(true);

/** The same in 7.3: what was zeroed is uptodate once it was copied to. */
export const __iomap_write_begin_until_copied = writeBegin(false);

/**
 * fs/iomap/buffered-io.c iomap_write_begin(): the folio for up to `len` bytes at `pos`. Undefined
 * where the mapping has gone stale.
 */
function iomap_write_begin(
  inode: Inode,
  round: IomapRound,
  pos: number,
  len: number,
): Folio | undefined {
  const { s_op } = inode.i_sb;
  const folio = write_begin_get_folio(inode, pos, len);
  if (!s_op.iomap_valid(inode, round.iomap)) {
    round.iomap.stale = true;
    return undefined;
  }
  const { offset, length } = round.iomap;
  assert(offset <= pos && pos + len <= offset + length, "what is written lies in its mapping");
  const end = Math.min(pos + len, folio_next_pos(folio));
  const start = folio_pos(folio);
  s_op.__iomap_write_begin(inode, round.iomap, folio, pos - start, end - start);
  return folio;
}

/**
 * fs/iomap/buffered-io.c __iomap_write_end(): a short copy into a folio that is not uptodate is
 * rejected whole, since a block written in part cannot be told from one not read. Returns the bytes
 * accepted.
 */
export function __iomap_write_end(
  inode: Inode,
  folio: Folio,
  pos: number,
  len: number,
  copied: number,
): number {
  if (copied < len && !folio.uptodate) return 0;
  const off = pos - folio_pos(folio);
  iomap_set_range_uptodate(inode, folio, off, len);
  iomap_set_range_dirty(inode, folio, off, copied);
  assert(folio.uptodate || folio.ifs !== undefined, "a dirty folio has data, in part at least");
  filemap_dirty_folio(inode, folio);
  return copied;
}

/**
 * fs/iomap/buffered-io.c iomap_write_failed(): folios past EOF that a failed write brought in go
 * again.
 */
function iomap_write_failed(inode: Inode, pos: number, len: number): void {
  const end = pos + len;
  if (end <= inode.i_size) return;
  inode.i_sb.s_op.truncate_inode_pages_range(inode, Math.max(pos, inode.i_size), end - 1);
}

/**
 * Bytes of one copy, into one folio; 0 where it was rejected. `copied` is what could be read of the
 * user's buffer.
 */
function writeFolio(
  inode: Inode,
  folio: Folio,
  pos: number,
  bytes: number,
  copied: number,
  source: Source | CopiedBytes,
): number {
  const { s_op } = inode.i_sb;
  const written = s_op.__iomap_write_end(inode, folio, pos, bytes, copied);
  assert(written <= copied, "no more is accepted of a write than was copied");
  // The kernel also moves i_size to `pos` where nothing was accepted; the retry that follows at
  // once moves it further.
  const old_size = inode.i_size;
  if (written > 0 && pos + written > old_size) inode.i_size = pos + written;
  pagecache_isize_extended(inode, old_size, pos);
  putBytes(inode.contents, pos, pos + written, source);
  return written;
}

/**
 * fs/iomap/buffered-io.c iomap_write_iter(): bytes written into the mapping, or -errno where none
 * were.
 */
function iomap_write_iter(
  inode: Inode,
  round: IomapRound,
  from: UserBuffer,
  source: Source | CopiedBytes,
): number {
  let { pos, length } = round;
  let chunk = PAGE_SIZE * 2 ** inode.i_sb.s_max_folio_order;
  let retry = 0;
  let status = 0;
  while (from.left > 0 && length > 0) {
    const wanted = Math.min(chunk - (pos % chunk), retry > 0 ? retry : from.left, length);
    retry = 0;
    assert(wanted > 0, "a round of a write has bytes");
    // Faulting in the user's pages comes first, in every kernel that was seen to have this path.
    if (!faultIn(from.memory, wanted)) {
      status = EFAULT;
      break;
    }
    if (noMemoryAt(inode, pos)) {
      status = ENOMEM;
      break;
    }
    const folio = iomap_write_begin(inode, round, pos, wanted);
    if (folio === undefined) break;
    const bytes = Math.min(wanted, folio_next_pos(folio) - pos);
    const copied = Math.min(bytes, from.memory.readable);
    const written = writeFolio(inode, folio, pos, bytes, copied, source);
    if (written === 0) {
      iomap_write_failed(inode, pos, bytes);
      if (chunk > PAGE_SIZE) chunk /= 2;
      retry = copied;
    } else {
      pos += written;
      length -= written;
      from.left -= written;
      from.memory.readable -= written;
      assert(length >= 0 && from.memory.readable >= 0, "no more is written than there is room for");
    }
  }
  return pos > round.pos ? pos - round.pos : status;
}

/** fs/iomap/buffered-io.c iomap_file_buffered_write(): bytes written, or -errno where none were. */
export function iomap_file_buffered_write(
  inode: Inode,
  pos: number,
  len: number,
  memory: UserMemory,
  source: Source | CopiedBytes,
  ops: IomapOps,
): number {
  const from = { left: len, memory };
  const done = iomap_iter(inode, pos, len, ops, (round) =>
    iomap_write_iter(inode, round, from, source),
  );
  return done.pos > pos ? done.pos - pos : done.status;
}

/**
 * fs/iomap/buffered-io.c iomap_zero_iter(): zeros all over the mapping of the round, which lies in
 * one block.
 */
export function writeZeros(inode: Inode, round: IomapRound): void {
  const { pos, length } = round;
  const folio = iomap_write_begin(inode, round, pos, length);
  if (folio === undefined) return;
  inode.i_sb.s_op.__iomap_write_end(inode, folio, pos, length, length);
  inode.contents.delete(pos, pos + length);
  assert(folio.dirty, "zeros that were written make their folio dirty");
}

/**
 * fs/iomap/buffered-io.c iomap_read_folio(): afterwards the whole folio is uptodate.
 *
 * Of the folio that holds the last byte of the largest file, no file has the blocks behind that, so
 * none is asked for.
 */
export function iomap_read_folio(inode: Inode, folio: Folio, ops: IomapOps): void {
  ifs_alloc(inode, folio);
  const len = Math.min(folio_size(folio), inode.i_sb.s_maxbytes - folio_pos(folio));
  iomap_iter(inode, folio_pos(folio), len, ops, ({ length }) => length);
  iomap_set_range_uptodate(inode, folio, 0, folio_size(folio));
  assert(folio.uptodate, "a folio that was read is uptodate");
}

/**
 * fs/iomap/buffered-io.c iomap_page_mkwrite(): blocks for the folio up to EOF; all of it is dirty
 * then. 0 or -errno.
 */
export function iomap_page_mkwrite(inode: Inode, folio: Folio, ops: IomapOps): number {
  const pos = folio_pos(folio);
  const len = Math.min(folio_size(folio), inode.i_size - pos);
  assert(len > 0, "a folio that is stored to begins before EOF");
  const done = iomap_iter(inode, pos, len, ops, (round) => {
    inode.i_sb.s_op.dirty_folio(inode, folio);
    return round.length;
  });
  return done.status;
}
