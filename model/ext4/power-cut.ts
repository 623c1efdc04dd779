/**
 * What a power cut leaves of a file: the inode as the last commit of the journal has it, and in its
 * blocks whatever was written to them since, for data does not go through the journal.
 *
 * Kernel:   fs/jbd2/commit.c, fs/jbd2/recovery.c: a transaction is replayed whole or not at all;
 *           fs/ext4/mballoc.c: blocks that the running transaction has freed are given to nobody
 *           before it has committed (ext4_free_data_in_buddy()), so what they hold stays
 * Left out: data=journal, where data is replayed too; no journal, where nothing is promised; which
 *           block of the disk is which: once the running transaction has moved blocks
 *           (collapse_range, insert_range), where data goes that is written to them is not
 *           followed, and from then on the bytes are not known
 *
 * Verified on the kernel by the operation power_cut, after any operation of a case.
 */
import { assert } from "../include/assert.ts";
import { emptyContents } from "../include/contents.ts";
import { IntervalMap } from "../include/interval-map.ts";
import type { Committed, Disk, Inode, Source } from "../include/types.ts";

/** Of a new file, whose name nothing has committed yet. */
export function emptyDisk(): Disk {
  return { contents: emptyContents(), committed: undefined };
}

/** The inode goes into the journal as it is: what a replay brings back from now on. */
export function recordCommit(inode: Inode): void {
  const { disk, i_disksize, i_extents } = inode;
  if (disk === undefined) return;
  assert(i_disksize <= inode.i_size, "the size in the journal is no larger than the file's");
  disk.committed = {
    i_disksize,
    i_extents: i_extents.clone(),
    contents: disk.contents.clone(),
    freed: new IntervalMap(),
    moved: false,
    known: true,
    guessed: inode.maybeZeroed.size > 0,
  };
}

function copy(
  from: IntervalMap<Source>,
  to: IntervalMap<Source>,
  start: number,
  end: number,
): void {
  to.delete(start, end);
  for (const part of from.within(start, end)) to.set(part.start, part.end, part.value);
}

/**
 * Do `change` to bytes [start, end) of the blocks on disk, which are also what a replayed inode
 * has, unless those were freed.
 */
function onDisk(
  { disk, i_sb }: Inode,
  start: number,
  end: number,
  change: (contents: IntervalMap<Source>, start: number, end: number) => void,
): void {
  if (disk === undefined) return;
  assert(start <= end, "what changes on disk does not end before it begins");
  change(disk.contents, start, end);
  const { committed } = disk;
  if (committed === undefined) return;
  if (committed.moved) committed.known = false;
  const size = i_sb.s_blocksize;
  const [first, last] = [Math.floor(start / size), Math.ceil(end / size)];
  for (const extent of committed.i_extents.within(first, last)) {
    for (const part of gaps(committed, extent.start, extent.end)) {
      change(
        committed.contents,
        Math.max(start, part.start * size),
        Math.min(end, part.end * size),
      );
    }
  }
}

/** The blocks of [first, last) that the running transaction has not freed. */
function gaps({ freed }: Committed, first: number, last: number): { start: number; end: number }[] {
  const parts: { start: number; end: number }[] = [];
  let at = first;
  assert(first < last, "an extent of the journal's inode is not empty");
  for (const { start, end } of freed.within(first, last)) {
    if (start > at) parts.push({ start: at, end: start });
    at = Math.max(at, end);
  }
  if (at < last) parts.push({ start: at, end: last });
  return parts;
}

/** Bytes [start, end) of the page cache have been written to their blocks. */
export function writesToDisk(inode: Inode, start: number, end: number): void {
  onDisk(inode, start, end, (contents, from, to) => copy(inode.contents, contents, from, to));
}

/**
 * Blocks [start, end) are zeroed where they lie, past page cache and journal (fs/ext4/extents.c
 * ext4_ext_zeroout()).
 */
export function zeroesOnDisk(inode: Inode, start: number, end: number): void {
  const size = inode.i_sb.s_blocksize;
  onDisk(inode, start * size, end * size, (contents, from, to) => contents.delete(from, to));
}

/**
 * Blocks [start, end) are no longer the file's: what is at their place from now on is another
 * block.
 */
export function freesOnDisk({ disk, i_sb }: Inode, start: number, end: number): void {
  if (disk === undefined || end <= start) return;
  const size = i_sb.s_blocksize;
  disk.contents.delete(start * size, end * size);
  disk.committed?.freed.set(start, end, true);
}

/**
 * What follows byte `offset` moves by `by` bytes, up, or down over the |by| bytes before it, which
 * vanish.
 */
export function moveSources(contents: IntervalMap<Source>, offset: number, by: number): void {
  assert(offset + by >= 0, "nothing moves to before the beginning of the file");
  const moved = [...contents.within(offset, Infinity)];
  contents.delete(offset + Math.min(by, 0), Infinity);
  for (const { start, end, value } of moved) {
    contents.set(start + by, end + by, { tag: value.tag, delta: value.delta - by });
  }
}

/** The blocks of the file move with its bytes. */
export function movesOnDisk({ disk }: Inode, offset: number, by: number): void {
  if (disk === undefined) return;
  moveSources(disk.contents, offset, by);
  if (disk.committed !== undefined) disk.committed.moved = true;
}

/** What a mount after a power cut finds of the file; undefined where there is no such file. */
export function afterPowerCut({ disk }: Inode): Committed | undefined {
  assert(disk !== undefined, "a power cut is asked for where commits are recorded");
  return disk.committed;
}
