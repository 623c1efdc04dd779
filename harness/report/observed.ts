/**
 * What was expected and seen after an operation, side by side: a table, and a picture of the
 * blocks.
 */
import { blocksWith, rangeOf } from "../aspects/effects.ts";
import { type CacheExtent, describePages } from "../case/observation.ts";
import type { Divergence, DivergenceKind } from "../finding/divergence.ts";
import type { RecordedCut, RecordedObservation, RecordedRead } from "../finding/recorded.ts";
import type { TimelineStep } from "../finding/timeline.ts";
import { effectsOf, targetOf, type Operation } from "../operations/operation.ts";
import {
  ELIDED,
  type Band,
  firstDifference,
  pictureOf,
  STATE_CHARACTERS,
  type Touched,
} from "../text/block-map.ts";
import { describeResult } from "../text/errno.ts";
import { type Paint, paintWith, type Style } from "../text/terminal.ts";
import { INDENT, shortened, WIDTH } from "./layout.ts";

/** Width of the names at the left, and of the expected values beside them. */
const LABEL = 13;
const VALUE = 33;

/** Blocks that an operation touches, with what a short write reached apart from what it did not. */
function touchedBy(operation: Operation | undefined, blockSize: number): Touched[] {
  const target = operation && targetOf(operation);
  if (operation === undefined || target === undefined) return [];
  const { lblk: first, end } = blocksWith(rangeOf(target), blockSize);
  if (!("readable" in operation)) return [{ lblk: first, len: end - first, mark: "=" }];
  const reached = target.pos + operation.readable;
  const middle = operation.readable === 0 ? first : Math.ceil(reached / blockSize);
  return [
    { lblk: first, len: middle - first, mark: "=" },
    { lblk: middle, len: end - middle, mark: "-" },
  ].filter((t) => t.len > 0);
}

/** Bytes as whole blocks and what is left. */
export function inBlocks(bytes: number, blockSize: number): string {
  const blocks = Math.floor(bytes / blockSize);
  const rest = bytes % blockSize;
  if (bytes === 0) return "0";
  const whole = blocks === 0 ? "" : `${blocks} block${blocks === 1 ? "" : "s"}`;
  if (rest === 0) return `${bytes}  (${whole})`;
  return `${bytes}  (${whole}${whole === "" ? "" : " + "}${rest} byte${rest === 1 ? "" : "s"})`;
}

/** Of what was read, how much, and the bytes that matter. */
export function readText(read: RecordedRead | undefined): string {
  if (read === undefined) return "-";
  if (read.bytes === "" && read.length > 0) {
    return `${read.length}, SHA-256 ${read.sha256.slice(0, 16)}...`;
  }
  const bytes = [...Buffer.from(read.bytes, "base64").subarray(0, 8)];
  const hex = bytes.map((b) => b.toString(16).padStart(2, "0")).join(" ");
  return `${read.length}, at ${read.offset}: ${hex}`;
}

const headRow = (paint: Paint): string =>
  paint("dim", `${INDENT}${"".padEnd(LABEL)}${"expected".padEnd(VALUE)}seen`);

/**
 * Makes rows of what was expected and what was seen, marked where they differ; below each other
 * where they do not fit side by side. Where there is one of them only it is both.
 */
function rowsOf<T>(expected: T, seen: T, paint: Paint) {
  return (name: string, text: (one: T) => string, differs = text(expected) !== text(seen)) => {
    const mark = differs ? paint(["red", "bold"], "!") : " ";
    const [left, right] = [text(expected), text(seen)];
    const start = `${mark} ${name.padEnd(LABEL)}`;
    if (expected === seen) return start + left;
    const shown = differs ? paint(["red", "bold"], right) : right;
    if (left.length < VALUE && right.length <= WIDTH - INDENT.length - LABEL - VALUE) {
      return start + left.padEnd(VALUE) + shown;
    }
    return `${start}expected  ${left}\n${"".padEnd(INDENT.length + LABEL)}seen      ${shown}`;
  };
}

function tableLines(
  kind: DivergenceKind,
  expected: RecordedObservation,
  seen: RecordedObservation,
  blockSize: number,
  paint: Paint,
): string[] {
  const row = rowsOf(expected, seen, paint);
  // More than expected may be extent-tree blocks; only the comparison knows how many there can be.
  const blocksDiffer = kind === "st_blocks" || seen.st_blocks < expected.st_blocks;
  const lines = [
    headRow(paint),
    row("result", (one) => describeResult(one.result)),
    row("i_size", (one) => inBlocks(one.i_size, blockSize)),
    row("st_blocks", (one) => inUnits(one.st_blocks, blockSize), blocksDiffer),
    row("reserved", (one) => String(one.reserved)),
  ];
  // Where the kernel does not tell, or the model does not know, there is nothing to hold it
  // against.
  if (expected.pages !== undefined && seen.pages !== undefined) {
    lines.push(row("pages", ({ pages }) => describePages(pages!)));
  }
  if (expected.read !== undefined || seen.read !== undefined) {
    const differs = expected.read?.sha256 !== seen.read?.sha256;
    lines.push(row("read", ({ read }) => readText(read), differs));
  }
  return lines;
}

/** What is left of the file, where that is what differs. */
function cutLines(
  expected: RecordedCut,
  seen: RecordedCut,
  blockSize: number,
  paint: Paint,
): string[] {
  const row = rowsOf(expected, seen, paint);
  const [bytes, seenBytes] = [expected.file?.bytes, seen.file?.bytes];
  const differs = bytes !== undefined && bytes.sha256 !== seenBytes?.sha256;
  return [
    headRow(paint),
    row("file", ({ file }) => (file === undefined ? "none" : "there")),
    row("i_size", ({ file }) => inBlocks(file?.i_size ?? 0, blockSize)),
    row("data", ({ file }) => readText(file?.bytes), differs),
  ];
}

/** The file as it was left, for a picture of its blocks. */
export function asLeft(observation: RecordedObservation): RecordedObservation {
  const { i_size = 0, map = [] } = observation.cut?.file ?? {};
  return { ...observation, i_size, map };
}

/** 512-byte units as blocks. */
export function inUnits(units: number, blockSize: number): string {
  const blocks = (units * 512) / blockSize;
  return units === 0 || blocks % 1 !== 0
    ? String(units)
    : `${units}  (${blocks} block${blocks === 1 ? "" : "s"})`;
}

const stateStyles: Readonly<Record<string, Style>> = {
  [STATE_CHARACTERS.hole]: "dim",
  [STATE_CHARACTERS.delayed]: "yellow",
  [STATE_CHARACTERS.unwritten]: "cyan",
  [STATE_CHARACTERS.written]: "green",
  [ELIDED]: "dim",
};

/** A row of the picture in the colours of its states, a run at a time. */
function paintStates(row: string, paint: Paint): string {
  return row.replaceAll(/(.)\1*/g, (run: string) => paint(stateStyles[run[0]!] ?? "reset", run));
}

function line(name: string, text: string): string {
  return `${INDENT}${name.padEnd(LABEL)}${text}`.trimEnd();
}

function bandLines(band: Band, operation: Operation | undefined, paint: Paint): string[] {
  const lines = [
    line("block", paint("dim", band.ruler)),
    line("expected", paintStates(band.expected, paint)),
    line("seen", paintStates(band.seen, paint)),
  ];
  if (band.carets !== "") lines.push(line("", paint(["red", "bold"], band.carets)));
  const same = band.eofExpected === band.eofSeen;
  if (!same && band.eofExpected !== "") lines.push(line("EOF exp.", band.eofExpected));
  if (band.eofSeen !== "") lines.push(line(same ? "EOF" : "EOF seen", band.eofSeen));
  if (band.touched !== "" && operation !== undefined) {
    lines.push(line(effectsOf(operation).label ?? operation.op, paint("dim", band.touched)));
  }
  return lines;
}

/** What the characters of a picture mean. */
const MEANINGS: readonly (readonly [character: string, meaning: string])[] = [
  ...Object.entries(STATE_CHARACTERS).map(([name, character]) => [character, name] as const),
  [ELIDED, "left out"],
  ["E", "last byte"],
  ["=", "touched"],
  ["-", "not copied"],
];

const legendOf = (meanings: typeof MEANINGS): string =>
  meanings.map(([character, meaning]) => `${character} ${meaning}`).join("   ");

/** Of every character that a picture may have. */
export const LEGEND = legendOf(MEANINGS);

/** Of those that these have. */
function legend(bands: readonly Band[]): string {
  const used = bands
    .map((b) => b.expected + b.seen + b.eofExpected + b.eofSeen + b.touched)
    .join("");
  return legendOf(MEANINGS.filter(([character]) => used.includes(character)));
}

function mapLines(
  operation: Operation | undefined,
  expected: RecordedObservation,
  seen: RecordedObservation,
  blockSize: number,
  paint: Paint,
  withLegend = true,
): string[] {
  const alone = expected === seen;
  const last = (bytes: number): number => Math.ceil(bytes / blockSize) - 1;
  const picture = pictureOf({
    expected: expected.map,
    seen: seen.map,
    eofExpected: last(expected.i_size),
    eofSeen: last(seen.i_size),
    touched: touchedBy(operation, blockSize),
    width: WIDTH - INDENT.length - LABEL,
  });
  if (picture.bands.length === 0) {
    return [`${INDENT}${alone ? "the file is" : "both files are"} empty: no block, no size`];
  }
  const lines = picture.bands.flatMap((band, i) => {
    const drawn = bandLines(band, operation, paint);
    if (alone) drawn.splice(1, 1);
    return i === 0 ? drawn : ["", ...drawn];
  });
  if (picture.cut) lines.push("", `${INDENT}Blocks far from the first difference are not shown.`);
  return withLegend ? [...lines, "", INDENT + paint("dim", legend(picture.bands))] : lines;
}

/** Of the extent status cache, which blocks it has as what. */
export function cacheText(cache: readonly CacheExtent[] | undefined): string {
  if (cache === undefined) return "not known";
  const ranges = cache.map(({ lblk, len, state }) => {
    const end = lblk + len;
    const open = end >= 2 ** 32 - 1 ? "" : end - 1;
    return len === 1 ? `${lblk} ${state}` : `${lblk}-${open} ${state}`;
  });
  return ranges.length === 0 ? "empty" : ranges.join(", ");
}

const cacheLine = (name: string, cache: readonly CacheExtent[] | undefined): string =>
  shortened(`${INDENT}${name.padEnd(LABEL)}${cacheText(cache)}`);

/** Of a divergence, what was expected and seen where it showed. */
export function observationLines(
  divergence: Divergence,
  blockSize: number,
  paint: Paint,
): string[] {
  const { expected, seen, kind, step } = divergence;
  const operation = divergence.operations[step];
  const when = `after operation ${step}`;
  const section = (title: string, table: string[], a: RecordedObservation, b = a): string[] => [
    paint("bold", title),
    ...table,
    "",
    ...mapLines(operation, a, b, blockSize, paint),
    "",
  ];
  if (expected === undefined || seen === undefined) {
    const only = expected ?? seen;
    if (only === undefined) return [];
    const table = tableLines(kind, only, only, blockSize, paintWith(false)).slice(1);
    return section(`${when}, ${seen === undefined ? "expected" : "seen"}`, table, only);
  }
  if (kind.startsWith("power-cut") && expected.cut !== undefined && seen.cut !== undefined) {
    const title = `left by a power cut at operation ${step}, once the journal is replayed`;
    const table = cutLines(expected.cut, seen.cut, blockSize, paint);
    return section(title, table, asLeft(expected), asLeft(seen));
  }
  const lines = section(when, tableLines(kind, expected, seen, blockSize, paint), expected, seen);
  if (kind !== "cache") return lines;
  return [...lines, paint("bold", "extent status cache"), cacheLine("seen", seen.cache), ""];
}

/** Whether anything differs that has to be the same. */
function differ(expected: RecordedObservation, seen: RecordedObservation): boolean {
  const [pages, seenPages] = [expected.pages ?? seen.pages, seen.pages ?? expected.pages];
  return (
    expected.result !== seen.result ||
    expected.i_size !== seen.i_size ||
    expected.st_blocks > seen.st_blocks ||
    expected.reserved !== seen.reserved ||
    expected.read?.sha256 !== seen.read?.sha256 ||
    pages?.cached !== seenPages?.cached ||
    pages?.dirty !== seenPages?.dirty ||
    firstDifference(expected.map, seen.map) !== undefined
  );
}

/** What a power cut at that step left of the file, side by side; nothing where none was there. */
function leftLines(
  { expected, seen }: TimelineStep,
  operation: Operation | undefined,
  blockSize: number,
  paint: Paint,
): string[] {
  if (seen.cut === undefined) return [];
  const must = expected?.cut === undefined ? seen : expected;
  return [
    `${INDENT}left by a power cut, once the journal is replayed`,
    ...cutLines(must.cut ?? seen.cut, seen.cut, blockSize, paint),
    ...mapLines(operation, asLeft(must), asLeft(seen), blockSize, paint, false),
  ];
}

/**
 * Of a step of a timeline: in a line and a picture where all is as expected, else side by side; and
 * what a power cut left there.
 */
export function stepLines(
  step: TimelineStep,
  operation: Operation | undefined,
  blockSize: number,
  paint: Paint,
): string[] {
  const { expected, seen } = step;
  const left = leftLines(step, operation, blockSize, paint);
  if (expected !== undefined && differ(expected, seen)) {
    return [
      ...tableLines("map", expected, seen, blockSize, paint),
      ...mapLines(operation, expected, seen, blockSize, paint, false),
      ...left,
    ];
  }
  const { result, i_size, st_blocks, reserved, pages } = seen;
  const facts = [
    `returned ${describeResult(result)}`,
    `i_size ${i_size}`,
    `st_blocks ${st_blocks}`,
    `reserved ${reserved}`,
    ...(pages === undefined ? [] : [`pages ${describePages(pages)}`]),
  ];
  return [
    shortened(INDENT + facts.join("   ")),
    ...mapLines(operation, seen, seen, blockSize, paint, false),
    ...left,
  ];
}
