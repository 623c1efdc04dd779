/**
 * What a run came across: how often each kind of operation met each state of the blocks that it was
 * about. What was never met was never tested, however many cases there were.
 *
 * States are the model's, before the operation; where model and kernel agree they are the kernel's.
 */
import type { Clamping } from "./clampings.ts";
import type { Inode } from "../../model/include/types.ts";
import { rangeOf } from "../aspects/effects.ts";
import type { ByteRange } from "../aspects/effects.ts";
import {
  clampOperation,
  effectsOf,
  failNthOf,
  isStarved,
  targetOf,
} from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";
import { extentMap } from "./model-subject.ts";

/** States of a range of blocks, as columns of a table. */
export const STATES = ["hole", "delayed", "unwritten", "written", "several", "past EOF"] as const;
export type State = (typeof STATES)[number];

/** How often each kind of operation met each state, and at which depth, by "kind|column". */
export type Statistics = Record<string, number>;

function count(statistics: Statistics, kind: string, column: string): void {
  const key = `${kind}|${column}`;
  statistics[key] = (statistics[key] ?? 0) + 1;
}

/** The kind of an operation, a row of a table. */
export function kindOf(operation: Operation, i_size: number): string {
  const kind = effectsOf(operation).kind?.(operation, i_size) ?? operation.op;
  if (isStarved(operation)) return `${kind}, no room`;
  return failNthOf(operation) === undefined ? kind : `${kind}, no memory`;
}

/** Bytes that an operation is about; the whole file where it names none. */
function rangeIn(operation: Operation, i_size: number): ByteRange {
  const { range } = effectsOf(operation);
  if (range !== undefined) return range(operation, i_size);
  const target = targetOf(operation);
  return target === undefined ? { pos: 0, end: i_size } : rangeOf(target);
}

/** What a file has in bytes [pos, end). */
function stateIn(inode: Inode, pos: number, end: number): State {
  const blockSize = inode.i_sb.s_blocksize;
  const from = Math.floor(pos / blockSize);
  const to = Math.max(from + 1, Math.ceil(end / blockSize));
  const eof = Math.ceil(inode.i_size / blockSize);
  const map = extentMap(inode, from, to);
  const [first] = map;
  if (first === undefined) return from >= eof ? "past EOF" : "hole";
  const held = map.reduce((sum, { len }) => sum + len, 0);
  const one = map.every(({ state }) => state === first.state) && held === to - from;
  return one ? first.state : "several";
}

/** Operations of a case up to this one, itself too, as columns of a table of their own. */
export const DEPTHS = ["1", "2-4", "5-16", "17-64", "65-"] as const;

/** Which of them, of the operation with this index. */
function depthOf(step: number): (typeof DEPTHS)[number] {
  const power = Math.ceil(Math.log2(step + 1) / 2);
  return DEPTHS[Math.min(power, DEPTHS.length - 1)]!;
}

/**
 * Blocks of the extent tree outside the inode before an operation, as columns of a table of their
 * own: with five there are two levels of them, since the inode has room for four index entries.
 */
export const TREES = ["0 blocks", "1-4 blocks", "5- blocks"] as const;

/** Which of them, of a file of which the kernel says that it has so many units of 512 bytes. */
function treeOf({ i_extents, i_reserved_data_blocks, i_sb }: Inode, st_blocks: number): string {
  const blocks = (st_blocks * 512) / i_sb.s_blocksize;
  const tree = blocks - i_extents.covered - i_reserved_data_blocks;
  return TREES[tree <= 0 ? 0 : tree <= 4 ? 1 : 2];
}

/** Extent trees of files that were checked on disk, as columns of a table of their own. */
export const ON_DISK = ["depth 0", "depth 1", "depth 2", "depth 3", "full leaf"] as const;

/** Count a file that was checked on disk. */
export function noteOnDisk(
  statistics: Statistics,
  { depth, fullLeaves }: { depth: number; fullLeaves: number },
): void {
  for (const column of [`depth ${depth}`, ...(fullLeaves > 0 ? ["full leaf"] : [])]) {
    count(statistics, "files on disk", column);
  }
}

/**
 * Count an operation that is about to be applied to this file, as number `step` of its case.
 *
 * @param st_blocks what the kernel showed last; undefined where nobody looked
 */
export function note(
  statistics: Statistics,
  operation: Operation,
  inode: Inode,
  step: number,
  st_blocks?: number,
): void {
  const { i_size } = inode;
  const applied = clampOperation(operation, i_size);
  if (applied === undefined) return;
  const { pos, end } = rangeIn(applied, i_size);
  const kind = kindOf(applied, i_size);
  const tree = st_blocks === undefined ? [] : [treeOf(inode, st_blocks)];
  for (const column of [stateIn(inode, pos, end), depthOf(step), ...tree]) {
    count(statistics, kind, column);
  }
}

/**
 * What became of an operation that was not applied as it stands, as columns of a table of its own.
 */
export const CLAMPED = ["shortened", "left out"] as const;

/** Count operations that were not applied as they stand, among the others. */
export function noteClampings(statistics: Statistics, clampings: readonly Clamping[]): void {
  for (const { asked, done } of clampings) {
    // Its kind does not depend on the size of the file: only a truncation's does.
    count(statistics, kindOf(asked, 0), CLAMPED[done === undefined ? 1 : 0]);
  }
}
