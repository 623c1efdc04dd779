/**
 * Direct I/O: between the user's memory and the disk, past the page cache.
 *
 * Kernel:   fs/iomap/direct-io.c __iomap_dio_rw(), iomap_dio_bio_iter(), iomap_dio_hole_iter(),
 *           iomap_dio_iter(), iomap_dio_complete(); mm/filemap.c kiocb_invalidate_pages(),
 *           kiocb_invalidate_post_direct_write(), kiocb_write_and_wait()
 * Left out: I/O errors but those of a device without room (harness/subjects/thin.ts), asynchronous
 *           requests, IOMAP_DIO_OVERWRITE_ONLY and _PARTIAL, O_DSYNC, inline data, the way of short
 *           reads that 7.x has besides (it fails and finds nothing else); memory that is not
 *           aligned (the harness' buffers begin on a page, and no read goes on from a hole that
 *           ends within a sector of memory), memory of a read that cannot be written to
 *
 * A request is cut where the file system's mappings end, and each piece is checked for its
 * alignment only when its turn comes. How long a mapping is depends on where the allocator has put
 * the blocks, which the model leaves out; where the outcome would depend on it the harness does not
 * ask (harness/operations/operation.ts clampOperation()).
 */
import { assert } from "../include/assert.ts";
import { EFAULT, EINVAL, EIO } from "../include/errno.ts";
import { filemap_write_and_wait_range } from "../mm/filemap.ts";
import { folioIndexAfter, pageOf } from "../mm/folio.ts";
import { invalidate_inode_pages2_range } from "../mm/truncate.ts";
import { DELAYED, LOGICAL_BLOCK_SIZE, UNWRITTEN, WRITTEN } from "../include/types.ts";
import type { Inode, Source } from "../include/types.ts";
import { iomap_iter } from "./iomap.ts";
import type { IomapOps } from "../include/iomap.ts";
import type { IomapRound } from "./iomap.ts";

export interface DirectWrite {
  pos: number;
  len: number;
  /** Bytes of the memory that can be read. */
  readable: number;
  source: Source;
}

/**
 * struct iomap_dio_ops of a write: `size` bytes are on disk, some of them maybe in unwritten
 * blocks.
 */
export type EndIo = (inode: Inode, pos: number, size: number, unwritten: boolean) => void;

/**
 * What becomes of an error where the rest of a block is zeroed after it: it stays one.
 *
 * Until 6.18 the kernel forgets it: deviations/direct-write-forgets-fault.ts.
 */
export function errorAfterZeroing(_inode: Inode, error: number): number {
  return error;
}

/**
 * mm/filemap.c kiocb_invalidate_pages(): write the range back, then drop it; false where that fails
 * or a folio stays.
 */
function kiocb_invalidate_pages(inode: Inode, pos: number, count: number): boolean {
  const last = pos + count - 1;
  if (filemap_write_and_wait_range(inode, pos, last) < 0) return false;
  if (!invalidate_inode_pages2_range(inode, pos, last)) return false;
  const next = inode.i_mapping[folioIndexAfter(inode.i_mapping, pageOf(pos))];
  assert(next === undefined || next.index > pageOf(last), "what is written directly is not cached");
  return true;
}

function misaligned(n: number): boolean {
  return n % LOGICAL_BLOCK_SIZE !== 0;
}

/**
 * include/linux/blkdev.h bdev_iter_is_aligned(), which iomap_dio_bio_iter() of 6.12 asks of all the
 * memory that is left: of a read that ends within a sector too, though it would have ended at EOF
 * before. Bytes.
 */
export function bdev_iter_is_aligned(rest: number): boolean {
  return !misaligned(rest);
}

/** fs/iomap/direct-io.c iomap_dio_bio_iter(): whether what goes to the disk is aligned. */
function isAligned({ i_sb }: Inode, { pos, length }: IomapRound, rest: number): boolean {
  return !misaligned(pos) && !misaligned(length) && i_sb.s_op.bdev_iter_is_aligned(rest);
}

/**
 * The blocks of bytes [pos, end) are on disk as they are read: nothing of them is in the page
 * cache.
 */
function blocksToDisk(inode: Inode, pos: number, end: number): void {
  const size = inode.i_sb.s_blocksize;
  inode.i_sb.s_op.writesToDisk(inode, pos - (pos % size), Math.ceil(end / size) * size);
}

/**
 * fs/iomap/direct-io.c iomap_dio_bio_iter() of a write: bytes that went out, or -errno. What of a
 * block that held no data the write leaves out is zeroed on disk, and so is what is behind it where
 * it ends past EOF.
 */
function iomap_dio_bio_iter(inode: Inode, round: IomapRound, write: DirectWrite): number {
  const { pos, length, iomap } = round;
  if (!isAligned(inode, round, write.pos + write.len - pos)) return EINVAL;
  assert(
    iomap.type === WRITTEN || iomap.type === UNWRITTEN,
    "a direct write has blocks for what it writes",
  );
  const size = inode.i_sb.s_blocksize;
  const need_zeroout = iomap.type === UNWRITTEN || iomap.isNew;
  const copied = Math.min(length, Math.max(0, write.pos + write.readable - pos));
  const end = pos + copied;
  assert(
    end <= write.pos + write.len && copied <= length,
    "a direct write ends where it was to, in its mapping",
  );
  const zeroesTail = (need_zeroout || end >= inode.i_size) && end % size !== 0;
  // Nothing reads an unwritten block from disk before it is converted, which happens when all of
  // the write is done.
  if (iomap.type === WRITTEN) {
    if (need_zeroout) inode.contents.delete(pos - (pos % size), pos);
    if (copied > 0) inode.contents.set(pos, end, write.source);
    if (zeroesTail) inode.contents.delete(end, Math.ceil(end / size) * size);
    blocksToDisk(inode, pos, end);
  }
  if (copied > 0) return copied;
  return zeroesTail ? inode.i_sb.s_op.errorAfterZeroing(inode, EFAULT) : EFAULT;
}

/**
 * What unwritten blocks that now have the bytes of a write before `end` read as once they are
 * converted. Where the write went on within a block, to find that nothing more could be read, it
 * has zeroed the block up to there: the bytes that it had just put there.
 */
function fillUnwritten(inode: Inode, { pos, len, source }: DirectWrite, reached: number): void {
  assert(pos <= reached && reached <= pos + len, "a direct write comes to a place in its range");
  const size = inode.i_sb.s_blocksize;
  const end = reached < pos + len ? Math.max(pos, reached - (reached % size)) : reached;
  const [first, last] = [Math.floor(pos / size), Math.ceil(reached / size)];
  for (const extent of inode.i_extents.within(first, last)) {
    if (extent.value !== UNWRITTEN) continue;
    const [block, blockEnd] = [extent.start * size, extent.end * size];
    inode.contents.delete(block, blockEnd);
    const [from, to] = [Math.max(block, pos), Math.min(blockEnd, end)];
    assert(
      from < blockEnd && block < reached,
      "unwritten blocks are filled that the write came to",
    );
    if (from < to) inode.contents.set(from, to, source);
    inode.i_sb.s_op.writesToDisk(inode, block, blockEnd);
  }
}

/**
 * fs/iomap/direct-io.c iomap_dio_rw() of a write: bytes written, or -errno, with what was done
 * until then. None are (where the kernel says -ENOTBLK) as long as something of the range cannot
 * leave the page cache.
 */
export function iomap_dio_write(
  inode: Inode,
  write: DirectWrite,
  ops: IomapOps,
  end_io: EndIo,
): number {
  const { pos, len } = write;
  if (!kiocb_invalidate_pages(inode, pos, len)) return 0;
  let unwritten = false;
  let needsRoom = false;
  const { pos: end, status } = iomap_iter(inode, pos, len, ops, ({ iomap, ...round }) => {
    if (iomap.type === UNWRITTEN) unwritten = true;
    if (iomap.type === UNWRITTEN || iomap.isNew) needsRoom = true;
    return iomap_dio_bio_iter(inode, { iomap, ...round }, write);
  });
  if (status < 0) return status;
  if (needsRoom && inode.refuses?.direct === true) return EIO;
  const size = end - pos;
  assert(size >= 0 && size <= len, "no more is written directly than was asked for");
  if (unwritten) fillUnwritten(inode, write, end);
  end_io(inode, pos, size, unwritten && size > 0);
  if (size > 0) invalidate_inode_pages2_range(inode, pos, end - 1);
  return size;
}

/**
 * fs/iomap/direct-io.c iomap_dio_rw() of a read: bytes read, or -errno. Only what is on disk must
 * be aligned.
 */
export function iomap_dio_read(inode: Inode, pos: number, len: number, ops: IomapOps): number {
  const { i_size, i_sb } = inode;
  if (pos >= i_size) return 0;
  i_sb.s_op.writepages(inode, pos, pos + len - 1);
  const { status } = iomap_iter(inode, pos, len, ops, (round) => {
    const { type } = round.iomap;
    if (type === DELAYED) return EIO;
    const rest = pos + len - round.pos;
    const fits = type !== WRITTEN || isAligned(inode, round, rest);
    return fits ? round.length : EINVAL;
  });
  return status < 0 ? status : Math.min(len, i_size - pos);
}
