/**
 * Block maps: where two of them differ, and pictures of them in text.
 *
 * A picture has one character a block; long runs in which nothing changes are cut short:
 *
 *     block     0       8   ...  512
 *     expected  WWWWdddd....~~~~~WWWW
 *     seen      WWWWdddddddd~~~~~WWWW
 *                       ^^^^
 */
import type { CacheExtent, Extent } from "../case/observation.ts";

export type BlockState = CacheExtent["state"];

/** One character each, as in the legend of the report. */
export const STATE_CHARACTERS: Readonly<Record<BlockState, string>> = {
  hole: ".",
  delayed: "d",
  unwritten: "u",
  written: "W",
};

/** Stands for blocks that are left out. */
export const ELIDED = "~";

/** "block 3", or "blocks 3-7". */
export function blockRange(lblk: number, len: number): string {
  return len === 1 ? `block ${lblk}` : `blocks ${lblk}-${lblk + len - 1}`;
}

/** "3 written", "3-7 written" */
export const extentText = ({ lblk, len, state }: Extent): string =>
  `${len === 1 ? lblk : `${lblk}-${lblk + len - 1}`} ${state}`;

/** Blocks [lblk, lblk + len) in which neither map changes. */
export interface Segment {
  lblk: number;
  len: number;
  expected: BlockState;
  seen: BlockState;
}

/** A function of the state of a block, for blocks that are asked for in ascending order. */
function stateAt(map: readonly Extent[]): (lblk: number) => BlockState {
  let i = 0;
  return (lblk) => {
    while (i < map.length && map[i]!.lblk + map[i]!.len <= lblk) i++;
    const at = map[i];
    return at === undefined || at.lblk > lblk ? "hole" : at.state;
  };
}

/**
 * Walks the two maps side by side; segments without a block are left out, and the last one ends at
 * `end`.
 */
export function segmentsOf(
  expected: readonly Extent[],
  seen: readonly Extent[],
  cuts: readonly number[] = [],
): Segment[] {
  const edges = new Set<number>([0, ...cuts]);
  for (const { lblk, len } of expected) edges.add(lblk).add(lblk + len);
  for (const { lblk, len } of seen) edges.add(lblk).add(lblk + len);
  const sorted = [...edges].toSorted((a, b) => a - b);
  const [ofExpected, ofSeen] = [stateAt(expected), stateAt(seen)];
  const segments: Segment[] = [];
  for (let i = 0; i + 1 < sorted.length; i++) {
    const lblk = sorted[i]!;
    const len = sorted[i + 1]! - lblk;
    segments.push({ lblk, len, expected: ofExpected(lblk), seen: ofSeen(lblk) });
  }
  return segments;
}

/** The first blocks that the maps disagree on; undefined where they agree on every block. */
export function firstDifference(
  expected: readonly Extent[],
  seen: readonly Extent[],
): Segment | undefined {
  return segmentsOf(expected, seen).find((s) => s.expected !== s.seen);
}

/** A character of the picture: a block, or blocks left out. */
interface Column {
  lblk: number;
  expected: string;
  seen: string;
  differs: boolean;
  /** First block of a segment: worth a number above it. */
  edge: boolean;
}

/**
 * How a run of `len` blocks is shown in at most `limit` characters: blocks at its start and its
 * end, and a gap.
 */
function columnsOf({ lblk, len, expected, seen }: Segment, limit: number): Column[] {
  const after = len <= limit ? 0 : Math.max(1, Math.floor((limit - 2) / 2));
  const before = len <= limit ? len : limit - 2 - after;
  const differs = expected !== seen;
  const block = (i: number): Column => ({
    lblk: lblk + i,
    expected: STATE_CHARACTERS[expected],
    seen: STATE_CHARACTERS[seen],
    differs,
    edge: i === 0,
  });
  const gap = { lblk: lblk + before, expected: ELIDED, seen: ELIDED, differs, edge: false };
  return [
    ...Array.from({ length: before }, (_, i) => block(i)),
    ...(len <= limit ? [] : [gap, gap]),
    ...Array.from({ length: after }, (_, i) => block(len - after + i)),
  ];
}

/** Characters that one run may take: as many as let the picture fit. */
const RUN_LIMITS = [64, 32, 16, 12, 8, 6, 4] as const;

/**
 * Most lines of `width` characters for one picture; those around the first difference are shown.
 */
const MAX_BANDS = 3;

/** Holes that an operation touched behind everything else are shown up to this many blocks. */
const MAX_BEHIND = 64;

/** The lines of a part of a picture, all of one length at most. */
export interface Band {
  ruler: string;
  expected: string;
  seen: string;
  /** Carets under blocks that differ; empty where none does. */
  carets: string;
  /**
   * A mark under the block that holds the last byte of the file; empty where that block is not
   * shown.
   */
  eofExpected: string;
  eofSeen: string;
  /** Marks under the blocks that the operation touched; empty where none is shown. */
  touched: string;
}

export interface Picture {
  bands: Band[];
  /** Some blocks are not shown because the picture would be too long. */
  cut: boolean;
}

/** Blocks that an operation touched, and the character that marks them. */
export interface Touched {
  lblk: number;
  len: number;
  mark: string;
}

export interface PictureOf {
  expected: readonly Extent[];
  seen: readonly Extent[];
  /** The block that holds the last byte of the file; -1 for an empty file. */
  eofExpected: number;
  eofSeen: number;
  /** What the operation touched. */
  touched: readonly Touched[];
  /** Characters a line. */
  width: number;
}

/**
 * Numbers above the first block of each run, and above every eighth block where there is still room
 * for them.
 */
function rulerOf(columns: readonly Column[], width: number): string {
  let line = "";
  const place = (at: number, lblk: number): void => {
    const number = String(lblk);
    if (at + number.length > width) return;
    if (line.slice(Math.max(0, at - 1), at + number.length + 1).trim() !== "") return;
    line = line.slice(0, at).padEnd(at) + number + line.slice(at + number.length);
  };
  for (const [i, column] of columns.entries()) if (column.edge || i === 0) place(i, column.lblk);
  for (const [i, { lblk, expected }] of columns.entries()) {
    if (lblk % 8 === 0 && expected !== ELIDED) place(i, lblk);
  }
  return line;
}

function markAt(columns: readonly Column[], lblk: number, mark: string): string {
  const at = columns.findIndex((c) => c.lblk === lblk && c.expected !== ELIDED);
  return at < 0 ? "" : " ".repeat(at) + mark;
}

function bandOf(columns: readonly Column[], of: PictureOf): Band {
  const line = (character: (column: Column) => string): string =>
    columns.map(character).join("").trimEnd();
  return {
    ruler: rulerOf(columns, of.width),
    expected: line(({ expected }) => expected),
    seen: line(({ seen }) => seen),
    carets: line(({ differs }) => (differs ? "^" : " ")),
    eofExpected: markAt(columns, of.eofExpected, "E"),
    eofSeen: markAt(columns, of.eofSeen, "E"),
    touched: line(
      ({ lblk }) => of.touched.find((t) => lblk >= t.lblk && lblk < t.lblk + t.len)?.mark ?? " ",
    ),
  };
}

function allColumns(segments: readonly Segment[], width: number): Column[] {
  const pictures = RUN_LIMITS.map((limit) => segments.flatMap((one) => columnsOf(one, limit)));
  return pictures.find(({ length }) => length <= width) ?? pictures.at(-1)!;
}

/** The block after the last extent. */
function endOf(map: readonly Extent[]): number {
  const last = map.at(-1);
  return last === undefined ? 0 : last.lblk + last.len;
}

/**
 * Both maps as text, cut at `width` characters into bands. A map without a block has a picture
 * without bands.
 */
export function pictureOf(of: PictureOf): Picture {
  const { width } = of;
  const end = Math.max(endOf(of.expected), endOf(of.seen));
  const eof = [of.eofExpected, of.eofSeen].flatMap((b) => (b < 0 ? [] : [b, b + 1]));
  const ranges = of.touched.flatMap((t) => [t.lblk, t.lblk + t.len]);
  // A range that goes on behind everything else is not worth a picture of what is not there.
  const cuts = [...eof, ...ranges.filter((b) => b <= Math.max(end, ...eof) + MAX_BEHIND)];
  const columns = allColumns(joined(segmentsOf(of.expected, of.seen, cuts), cuts), width);
  const first = columns.findIndex((c) => c.differs);
  const bands = Math.ceil(columns.length / width);
  const start = Math.max(
    0,
    Math.min(Math.floor(Math.max(first, 0) / width) - 1, bands - MAX_BANDS),
  );
  const shown: Band[] = [];
  for (let i = start; i < Math.min(bands, start + MAX_BANDS); i++) {
    shown.push(bandOf(columns.slice(i * width, (i + 1) * width), of));
  }
  return { bands: shown, cut: bands > MAX_BANDS };
}

/**
 * Two segments apart only by an edge of one map that changes nothing are one; those at a cut stay
 * apart.
 */
function joined(segments: readonly Segment[], cuts: readonly number[]): Segment[] {
  const result: Segment[] = [];
  for (const segment of segments) {
    const last = result.at(-1);
    const same = last?.expected === segment.expected && last.seen === segment.seen;
    if (last !== undefined && same && !cuts.includes(segment.lblk)) last.len += segment.len;
    else result.push({ ...segment });
  }
  return result;
}
