/**
 * The axis of a finding's maps: blocks as columns of one width, the same for all of its steps, so
 * that what changes from one to the next is what the eye sees. Long runs in which nothing ever
 * changes are shortened.
 */
import type { Extent } from "../../case/observation.ts";
import type { Look, Step, Timeline } from "./timeline.ts";

/**
 * A block; or, where `len` is more than 1, blocks of which only that is shown that they are there.
 */
export interface Column {
  lblk: number;
  len: number;
}

/** Most columns of a map, and fewest: a block alone has neighbours. */
const MAX_COLUMNS = 56;
const MIN_COLUMNS = 12;

/** Columns that a run may take: as many as let the map fit. */
const RUN_LIMITS = [48, 32, 24, 16, 12, 8, 6, 4, 3] as const;

/** Blocks that an operation names behind everything else are shown up to here. */
const MAX_BEHIND = 32;

const edgesOf = (map: readonly Extent[]): number[] =>
  map.flatMap(({ lblk, len }) => [lblk, lblk + len]);

/** Both ends of the block that holds the last byte. */
function eofOf(i_size: number, blockSize: number): number[] {
  const end = Math.ceil(i_size / blockSize);
  return end === 0 ? [] : [end - 1, end];
}

const looksOf = ({ expected, seen }: Step): Look[] =>
  [expected, seen].filter((look) => look !== undefined);

function touchedEdges({ touched }: Step, blockSize: number): number[] {
  if (touched.len === 0) return [];
  const { pos, len } = touched;
  return [Math.floor(pos / blockSize), Math.ceil((pos + len) / blockSize)];
}

/** Where anything begins or ends in any step, ascending. */
function allEdges({ steps, blockSize }: Timeline): number[] {
  const looks = steps.flatMap(looksOf);
  const held = looks.flatMap(({ i_size, map }) => [...edgesOf(map), ...eofOf(i_size, blockSize)]);
  const last = Math.max(MIN_COLUMNS, ...held);
  const touched = steps.flatMap((step) => touchedEdges(step, blockSize));
  const near = touched.filter((lblk) => lblk <= last + MAX_BEHIND);
  return [...new Set([0, MIN_COLUMNS, ...held, ...near])].toSorted((a, b) => a - b);
}

const blocks = (lblk: number, count: number): Column[] =>
  Array.from({ length: count }, (_, i) => ({ lblk: lblk + i, len: 1 }));

function columnsOf(from: number, end: number, limit: number): Column[] {
  const len = end - from;
  if (len <= limit) return blocks(from, len);
  const after = Math.floor((limit - 1) / 2);
  const before = limit - 1 - after;
  const gap = { lblk: from + before, len: len - before - after };
  return [...blocks(from, before), gap, ...blocks(end - after, after)];
}

/** The first block on which a step's maps disagree, in whichever step that is; else 0. */
function firstDifference({ steps }: Timeline): number {
  for (const { expected, seen } of steps) {
    if (expected === undefined || seen === undefined) continue;
    const edges = [...edgesOf(expected.map), ...edgesOf(seen.map)].toSorted((a, b) => a - b);
    const at = edges.find((lblk) => stateAt(expected.map, lblk) !== stateAt(seen.map, lblk));
    if (at !== undefined) return at;
  }
  return 0;
}

/** What a block is. */
export function stateAt(map: readonly Extent[], lblk: number): Extent["state"] | "hole" {
  return map.find((one) => one.lblk <= lblk && lblk < one.lblk + one.len)?.state ?? "hole";
}

export interface Axis {
  columns: Column[];
  /** Some blocks are not shown, since there would be too many columns. */
  cut: boolean;
}

export function axisOf(timeline: Timeline): Axis {
  const edges = allEdges(timeline);
  const withLimit = (limit: number): Column[] =>
    edges.slice(1).flatMap((end, i) => columnsOf(edges[i]!, end, limit));
  const fitting = RUN_LIMITS.map(withLimit).find(({ length }) => length <= MAX_COLUMNS);
  if (fitting !== undefined) return { columns: fitting, cut: false };
  const all = withLimit(RUN_LIMITS.at(-1)!);
  const first = firstDifference(timeline);
  const at = all.findIndex(({ lblk, len }) => first < lblk + len);
  const start = Math.max(0, Math.min(at - MAX_COLUMNS / 4, all.length - MAX_COLUMNS));
  return { columns: all.slice(start, start + MAX_COLUMNS), cut: true };
}

/** Where a byte is, in columns from the left, whole ones and a part. */
export function placeOf(byte: number, blockSize: number, columns: readonly Column[]): number {
  const block = byte / blockSize;
  const at = columns.findIndex(({ lblk, len }) => block < lblk + len);
  if (at < 0) return columns.length;
  const { lblk, len } = columns[at]!;
  return at + Math.max(0, (block - lblk) / len);
}
