/**
 * Invariants: what holds of a file after every operation, whatever the operations were. Each is a
 * promise of the write path or a fact of the kernel's data structures, said of the model's state
 * without using the model's code.
 */
import { effectsOf } from "../harness/operations/operation.ts";
import type { Operation } from "../harness/operations/operation.ts";
import { BH_Delay, BH_Dirty, BH_Mapped, BH_Unwritten, IFS_DIRTY } from "../model/include/types.ts";
import { DELAYED, HOLE, PAGE_SIZE, WRITTEN } from "../model/include/types.ts";
import type { Folio, Inode } from "../model/include/types.ts";

/** An invariant that does not hold, in words. */
export type Broken = string;

/** Blocks that the extent tree holds. */
function allocatedBlocks(inode: Inode): number {
  let blocks = 0;
  for (const { start, end } of inode.i_extents) blocks += end - start;
  return blocks;
}

/** Blocks that the extent status tree says are delayed. */
function delayedBlocks(inode: Inode): number {
  let blocks = 0;
  for (const { start, end, value } of inode.i_es_tree) if (value === DELAYED) blocks += end - start;
  return blocks;
}

function* accounts(inode: Inode, freeBlocks: number): Generator<Broken> {
  const { i_sb, i_reserved_data_blocks } = inode;
  const delayed = delayedBlocks(inode);
  if (i_reserved_data_blocks !== delayed) {
    yield `${i_reserved_data_blocks} blocks are reserved, ${delayed} are delayed`;
  }
  if (i_sb.s_dirtyclusters_counter !== i_reserved_data_blocks) {
    yield `the file system has ${i_sb.s_dirtyclusters_counter} blocks reserved, its only file ${i_reserved_data_blocks}`;
  }
  const all = i_sb.s_freeclusters_counter + allocatedBlocks(inode);
  if (all !== freeBlocks) yield `${all} blocks are free or held, there are ${freeBlocks}`;
}

function* sizes(inode: Inode): Generator<Broken> {
  const { i_size, i_disksize, contents } = inode;
  if (i_disksize > i_size) yield `i_disksize is ${i_disksize}, i_size ${i_size}`;
  if (contents.end > i_size) yield `there are contents up to ${contents.end}, i_size is ${i_size}`;
}

/**
 * The cached state of every block is the true one; a delayed block is one that the extent tree has
 * nothing for.
 */
function* cacheIsTrue(inode: Inode): Generator<Broken> {
  for (const { start, end, value } of inode.i_es_tree) {
    const extents = [...inode.i_extents.within(start, end)];
    const [first] = extents;
    const holds =
      value === HOLE || value === DELAYED
        ? first === undefined
        : extents.length === 1 &&
          first!.start === start &&
          first!.end === end &&
          first!.value === value;
    if (!holds) yield `the extent status tree says ${value} for blocks ${start} to ${end - 1}`;
  }
}

function* folioIsSound(inode: Inode, folio: Folio): Generator<Broken> {
  const { index, order, buffers, ifs, dirty, tagged, uptodate } = folio;
  const name = `folio ${index} of order ${order}`;
  if (index % 2 ** order !== 0) yield `${name} is not aligned`;
  if (order > inode.i_sb.s_max_folio_order) yield `${name} is larger than any may be`;
  if (dirty !== tagged) yield `${name}: dirty is ${dirty}, its tag ${tagged}`;
  if (dirty && buffers === undefined && ifs === undefined && !uptodate)
    yield `${name} is dirty, without data`;
  const count = (PAGE_SIZE * 2 ** order) / inode.i_sb.s_blocksize;
  if (ifs !== undefined && ifs.length !== count) yield `${name} has state for ${ifs.length} blocks`;
  if (ifs !== undefined && count === 1) yield `${name} has one block, and state for it`;
  if (ifs !== undefined && buffers !== undefined) yield `${name} has buffers and block state`;
  if (buffers === undefined) return;
  if (buffers.length !== count) yield `${name} has ${buffers.length} buffers, not ${count}`;
  if (!dirty && buffers.some((state) => (state & BH_Dirty) !== 0)) {
    yield `${name} is clean, but a buffer is dirty`;
  }
}

function* pageCache(inode: Inode): Generator<Broken> {
  let end = 0;
  for (const folio of inode.i_mapping) {
    if (folio.index < end) yield `folio ${folio.index} begins before ${end}`;
    end = folio.index + 2 ** folio.order;
    yield* folioIsSound(inode, folio);
  }
}

/** The folio that holds a block, and the number of the block in it. */
function folioOf(inode: Inode, lblk: number): { folio: Folio; b: number } | undefined {
  const perPage = PAGE_SIZE / inode.i_sb.s_blocksize;
  const page = Math.floor(lblk / perPage);
  const folio = inode.i_mapping.find((f) => f.index <= page && page < f.index + 2 ** f.order);
  return folio && { folio, b: lblk - folio.index * perPage };
}

/** Whether the page cache has the block dirty. */
function isDirty(inode: Inode, lblk: number): boolean {
  const at = folioOf(inode, lblk);
  if (at === undefined || !at.folio.dirty) return false;
  const { buffers, ifs } = at.folio;
  if (buffers !== undefined) return (buffers[at.b]! & BH_Dirty) !== 0;
  return ifs === undefined || (ifs[at.b]! & IFS_DIRTY) !== 0;
}

/**
 * Whether writeback will find the block: dirty, and on the buffer_head path waiting for a place.
 */
function waits(inode: Inode, lblk: number): boolean {
  if (!isDirty(inode, lblk)) return false;
  const at = folioOf(inode, lblk)!;
  const state = at.folio.buffers?.[at.b];
  if (state === undefined) return true;
  return (state & BH_Mapped) !== 0 && (state & (BH_Delay | BH_Unwritten)) !== 0;
}

/**
 * No delayed block without dirty page cache over it: nothing else would ever allocate or release
 * it.
 */
function* delayedIsDirty(inode: Inode): Generator<Broken> {
  for (const { start, end, value } of inode.i_es_tree) {
    if (value !== DELAYED) continue;
    for (let lblk = start; lblk < end; lblk++) {
      if (!waits(inode, lblk)) yield `block ${lblk} is delayed, but nothing will write it`;
    }
  }
}

/**
 * Data that a read returns is on disk, or dirty in the page cache; else dropping the cache would
 * lose it. It may do so where the device has refused the data.
 */
function* dataIsKept(inode: Inode): Generator<Broken> {
  const size = inode.i_sb.s_blocksize;
  for (const { start, end } of inode.contents) {
    for (let lblk = Math.floor(start / size); lblk * size < end; lblk++) {
      const lost = inode.refused.get(lblk) !== undefined;
      const kept = lost || inode.i_extents.get(lblk) === WRITTEN || waits(inode, lblk);
      if (!kept) yield `block ${lblk} holds data that nothing keeps`;
    }
  }
}

/** What does not hold of the file, whatever was called last. */
function* brokenAlways(inode: Inode, freeBlocks: number): Generator<Broken> {
  yield* accounts(inode, freeBlocks);
  yield* sizes(inode);
  yield* cacheIsTrue(inode);
  yield* pageCache(inode);
  yield* delayedIsDirty(inode);
  yield* dataIsKept(inode);
}

function* brokenAfterSync(inode: Inode): Generator<Broken> {
  const delayed = delayedBlocks(inode);
  if (delayed > 0) yield `${delayed} blocks are delayed after fsync`;
  const size = inode.i_sb.s_blocksize;
  for (const { start, end } of inode.contents) {
    for (let lblk = Math.floor(start / size); lblk * size < end; lblk++) {
      const written =
        inode.i_extents.get(lblk) === WRITTEN || inode.refused.get(lblk) !== undefined;
      if (!written) yield `block ${lblk} holds data, and is not written after fsync`;
    }
  }
}

/**
 * What does not hold of the file right after `operation`. It must be the only file of a file system
 * that began with `freeBlocks` free blocks.
 */
export function broken(operation: Operation, inode: Inode, freeBlocks: number): Broken[] {
  const synced = effectsOf(operation).syncsAll === true;
  return [...brokenAlways(inode, freeBlocks), ...(synced ? brokenAfterSync(inode) : [])];
}
