/**
 * How many blocks an allocation gets at once: preallocation.
 *
 * Kernel:   fs/ext4/mballoc.c ext4_mb_new_blocks(), ext4_mb_group_or_file(),
 *           ext4_mb_normalize_request(), ext4_mb_pa_adjust_overlap(), ext4_mb_use_preallocated(),
 *           ext4_mb_use_inode_pa(), ext4_discard_preallocations()
 * Left out: requests of more than 8 MiB, which get what they ask for; where the blocks are. The
 *           space of a file system that is nearly empty is taken to be in one piece; groups of
 *           fewer blocks than a preallocation wants; goals, stripes, the orders of search
 *
 * The allocator makes room for what the file may grow to, and keeps for the file what it did not
 * use yet. A later allocation that begins in such room gets no more than what is left of it,
 * however long it asked for: then a delayed extent gets its blocks in two parts, and a caller that
 * needs only the first leaves the second as it is.
 */
import { assert } from "../include/assert.ts";
import { EXT_MAX_BLOCKS } from "../include/types.ts";
import type { Inode, Preallocation, SuperBlock } from "../include/types.ts";
import { ext4_has_free_clusters, jbd2_journal_force_commit_nested } from "./reservation.ts";

/**
 * fs/ext4/mballoc.h MB_DEFAULT_STREAM_THRESHOLD: files of up to so many blocks share preallocations
 * with others.
 */
const STREAM_REQUEST = 16;

const KIB = 1024;
const MIB = 2 ** 20;

/** Files up to this size, bytes, get room for the next power of two. */
const LARGEST_POWER = MIB;

/**
 * fs/ext4/mballoc.c ext4_mb_normalize_request(): room, in bytes, by the size of the file and where
 * the request begins, bytes. Above 1 MiB it comes in chunks; of small blocks the larger chunks
 * would have too many (NRL_CHECK_SIZE).
 */
function roomFor(size: number, start: number, blockSize: number): { start: number; size: number } {
  if (size <= LARGEST_POWER) {
    return { start: 0, size: Math.max(16 * KIB, 2 ** Math.ceil(Math.log2(size))) };
  }
  let chunk = 8 * MIB;
  if (size <= 4 * MIB || blockSize <= KIB) chunk = 2 * MIB;
  else if (size <= 8 * MIB || blockSize <= 2 * KIB) chunk = 4 * MIB;
  return { start: start - (start % chunk), size: chunk };
}

/** The preallocation that holds `lblk`. */
function preallocationAt(inode: Inode, lblk: number): Preallocation | undefined {
  for (const pa of inode.i_prealloc) if (pa.pa_lstart <= lblk && lblk < pa.pa_end) return pa;
  return undefined;
}

/**
 * fs/ext4/mballoc.c ext4_mb_normalize_request() and ext4_mb_pa_adjust_overlap(): the room around
 * `lblk` that is to be preallocated, between the blocks that the file has and the room that it has
 * already.
 */
function ext4_mb_normalize_request(inode: Inode, lblk: number, len: number): Preallocation {
  const { s_blocksize, s_blocks_per_group } = inode.i_sb;
  const size = Math.max((lblk + len) * s_blocksize, inode.i_size);
  const room = roomFor(size, lblk * s_blocksize, s_blocksize);
  let start = room.start / s_blocksize;
  start = Math.max(start, lblk - (lblk % s_blocks_per_group));
  let end = Math.min(start + room.size / s_blocksize, EXT_MAX_BLOCKS);
  const i = inode.i_extents.indexAfter(lblk);
  start = Math.max(start, inode.i_extents.at(i - 1)?.end ?? 0);
  end = Math.min(end, inode.i_extents.at(i)?.start ?? Infinity, start + s_blocks_per_group);
  for (const { pa_lstart, pa_end } of inode.i_prealloc) {
    if (pa_end <= lblk) start = Math.max(start, pa_end);
    else if (pa_lstart > lblk) end = Math.min(end, pa_lstart);
  }
  assert(start <= lblk && lblk < end, "room that is made around a block holds it");
  return { pa_lstart: start, pa_end: end, pa_free: end - start };
}

/** fs/ext4/mballoc.c ext4_mb_use_inode_pa(): as many blocks from `lblk` on as the room has. */
function ext4_mb_use_inode_pa(inode: Inode, pa: Preallocation, lblk: number, len: number): number {
  const used = Math.min(len, pa.pa_end - lblk);
  assert(
    pa.pa_lstart <= lblk && used > 0,
    "a block that is taken from preallocated room lies in it",
  );
  pa.pa_free -= used;
  assert(pa.pa_free >= 0, "no more is taken from preallocated room than is left of it");
  if (pa.pa_free <= 0) inode.i_prealloc = inode.i_prealloc.filter((other) => other !== pa);
  return used;
}

/** What an allocation asks for besides a place and a length. */
export interface AllocationHints {
  /** The blocks are delayed: their space was promised before (EXT4_MB_DELALLOC_RESERVED). */
  reserved: boolean;
  /** Nothing is kept for later (EXT4_MB_HINT_NOPREALLOC), but what was kept is used. */
  noPreallocation: boolean;
}

/** Blocks that can be allocated before the running transaction commits. */
function allocatable({ s_freeclusters_counter, s_mb_free_pending }: SuperBlock): number {
  return s_freeclusters_counter - s_mb_free_pending;
}

/**
 * As many of `len` blocks as are free: halved until there are as many, unless they were promised; 0
 * for none.
 */
function claim(inode: Inode, len: number, reserved: boolean): number {
  const { i_sb } = inode;
  let claimed = len;
  if (!reserved) {
    while (claimed > 0 && !ext4_has_free_clusters(i_sb, claimed)) claimed = Math.floor(claimed / 2);
  }
  // Writeback must not fail for want of a commit, and makes one (ext4_do_writepages(),
  // ext4_iomap_map_blocks()).
  if (reserved && allocatable(i_sb) < claimed) jbd2_journal_force_commit_nested(inode);
  return Math.min(claimed, allocatable(i_sb));
}

/**
 * fs/ext4/mballoc.c ext4_mb_new_blocks(): of the `len` blocks from `lblk` on, all of them a hole,
 * how many are allocated at once; 0 where there is no space.
 */
export function ext4_mb_new_blocks(
  inode: Inode,
  lblk: number,
  len: number,
  { reserved, noPreallocation }: AllocationHints,
): number {
  assert(len > 0, "an allocation is not empty");
  const wanted = claim(inode, len, reserved);
  if (wanted <= 0) return 0;
  assert(wanted <= len, "no more is claimed than was asked for");
  const kept = preallocationAt(inode, lblk);
  if (kept !== undefined) return ext4_mb_use_inode_pa(inode, kept, lblk, wanted);
  const blocks = Math.ceil(inode.i_size / inode.i_sb.s_blocksize);
  if (noPreallocation || Math.max(lblk + wanted, blocks) <= STREAM_REQUEST) return wanted;
  const pa = ext4_mb_normalize_request(inode, lblk, wanted);
  // Room for no more than was asked for is not kept. As many blocks as it has are given from `lblk`
  // on, though the room may begin before that.
  if (pa.pa_free <= wanted) return pa.pa_free;
  assert(pa.pa_free > 0, "room that is kept for a file is not empty");
  inode.i_prealloc.push(pa);
  return ext4_mb_use_inode_pa(inode, pa, lblk, wanted);
}

/** fs/ext4/mballoc.c ext4_discard_preallocations(): the file gives back what was kept for it. */
export function ext4_discard_preallocations(inode: Inode): void {
  inode.i_prealloc = [];
}
