/**
 * The failure report: what a kernel developer reads first, and often the only thing. Golden files
 * beside the test show what it looks like.
 *
 * 100 columns, ASCII, so that it survives a mailing list. Only the command that replays the case
 * may be longer, since it must stay in one piece.
 */
import { ELIDED, type Band, pictureOf, STATE_CHARACTERS, type Touched } from "../text/block-map.ts";
import type { Divergence, DivergenceKind, EarlierCase } from "../finding/divergence.ts";
import type { RecordedCut, RecordedObservation, RecordedRead } from "../finding/recorded.ts";
import { type CacheExtent, describePages } from "../case/observation.ts";
import { describeResult } from "../text/errno.ts";
import { blocksWith, rangeOf } from "../aspects/effects.ts";
import { describeOperation, effectsOf, targetOf, type Operation } from "../operations/operation.ts";
import { type Paint, paintWith, printable, type Style, wrap } from "../text/terminal.ts";
import type { Variant } from "../case/variant.ts";

const WIDTH = 100;
const INDENT = "  ";
/** Width of the names at the left, and of the expected values beside them. */
const LABEL = 11;
const VALUE = 42;

export interface ReportContext {
  variant: Pick<Variant, "name" | "blockSize">;
  kernel: { release: string; path: string };
  /** As the kernel lists them; absent where nothing was mounted. */
  mountOptions?: string | undefined;
  /** Absent where the case was not generated. */
  seed?: number | undefined;
  /** The one command that runs this case again. */
  command: string;
  colour: boolean;
}

/** Operations that are listed before the failing one; a case that was shrunk has fewer. */
const LISTED = 40;

const titles: Readonly<Record<DivergenceKind, string>> = {
  result: "model and kernel disagree on what the call returned",
  i_size: "model and kernel disagree on i_size",
  map: "model and kernel disagree on the blocks of the file",
  reserved: "model and kernel disagree on the blocks reserved for delayed allocation",
  cache: "the extent status cache is wrong",
  st_blocks: "model and kernel disagree on st_blocks",
  pages: "model and kernel disagree on what is in the page cache",
  read: "model and kernel disagree on the bytes of the file",
  "power-cut": "the file is not what a power cut must leave of it",
  contract: "the kernel breaks a promise of the write path",
  "on-disk-map": "the extents on disk are not those the file should have",
  "on-disk-size": "the size on disk is not that of the file",
  "on-disk-blocks": "the block count on disk is wrong",
  contents: "the file reads differently after a fresh mount",
  e2fsck: "e2fsck is not content with the file system",
  "free-blocks": "the free-block count is wrong",
  mount: "ext4 does not mount its own file system",
  "kernel-log": "the kernel complained",
  hang: "the kernel hung",
  panic: "the kernel went down",
};

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

function blocksOf(operation: Operation, blockSize: number): string {
  const target = targetOf(operation);
  if (target === undefined) return "";
  const { lblk, end } = blocksWith(rangeOf(target), blockSize);
  return end - 1 === lblk ? `block ${lblk}` : `blocks ${lblk}-${end - 1}`;
}

/**
 * Operations up to number `step`, which is marked; all of them where there is none of that number.
 */
function operationLines(
  { operations, step }: Pick<Divergence, "operations" | "step">,
  blockSize: number,
  paint: Paint,
): string[] {
  const first = Math.max(0, step - LISTED);
  const shown = operations.slice(first, step + 1);
  const digits = String(step).length;
  const texts = shown.map(describeOperation);
  const width = Math.min(70, Math.max(0, ...texts.map((t) => t.length)));
  const lines = shown.map((operation, i) => {
    const failing = first + i === step;
    const number = String(first + i).padStart(digits);
    const blocks = paint("dim", blocksOf(operation, blockSize));
    const text = texts[i]!.padEnd(width);
    const line = `${failing ? ">" : " "} ${number}  ${failing ? paint("bold", text) : text}`;
    return blocks === "" ? line.trimEnd() : `${line}   ${blocks}`;
  });
  if (first > 0) lines.unshift(`${INDENT}... ${first} operations before these`);
  const left = operations.length - step - 1;
  if (left > 0) lines.push(`${INDENT}... ${left} operations after it were not run`);
  return lines;
}

/** Cases that are listed before the one that shows it. */
const EARLIER = 10;

function earlierLines(before: readonly EarlierCase[], blockSize: number, paint: Paint): string[] {
  const first = Math.max(0, before.length - EARLIER);
  const lines = before.slice(first).flatMap(({ operations, kept }, i) => {
    const stays = kept === undefined ? "" : ", whose file stays";
    const head = `case ${first + i + 1}${stays}`;
    const all = { operations, step: operations.length };
    return [paint("bold", head), ...operationLines(all, blockSize, paint), ""];
  });
  if (first > 0) lines.unshift(`${INDENT}... ${first} cases before these`, "");
  return lines;
}

/**
 * What was done: the operations of the case, after those of cases before it on the same file
 * system.
 */
function caseLines(divergence: Divergence, blockSize: number, paint: Paint): string[] {
  const { operations, before = [] } = divergence;
  if (operations.length === 0) return [];
  const head = before.length === 0 ? "operations" : `case ${before.length + 1}`;
  return [
    ...earlierLines(before, blockSize, paint),
    paint("bold", head),
    ...operationLines(divergence, blockSize, paint),
    "",
  ];
}

/** Bytes as whole blocks and what is left. */
function inBlocks(bytes: number, blockSize: number): string {
  const blocks = Math.floor(bytes / blockSize);
  const rest = bytes % blockSize;
  if (bytes === 0) return "0";
  const whole = blocks === 0 ? "" : `${blocks} block${blocks === 1 ? "" : "s"}`;
  if (rest === 0) return `${bytes}  (${whole})`;
  return `${bytes}  (${whole}${whole === "" ? "" : " + "}${rest} byte${rest === 1 ? "" : "s"})`;
}

function readText(read: RecordedRead | undefined): string {
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

/** Makes rows of what was expected and what was seen, marked where they differ. */
function rowsOf<T>(expected: T, seen: T, paint: Paint) {
  return (name: string, text: (one: T) => string, differs = text(expected) !== text(seen)) => {
    const mark = differs ? paint(["red", "bold"], "!") : " ";
    const right = differs ? paint(["red", "bold"], text(seen)) : text(seen);
    return `${mark} ${name.padEnd(LABEL)}${text(expected).padEnd(VALUE)}${right}`;
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
function asLeft(observation: RecordedObservation): RecordedObservation {
  const { i_size = 0, map = [] } = observation.cut?.file ?? {};
  return { ...observation, i_size, map };
}

/** 512-byte units as blocks. */
function inUnits(units: number, blockSize: number): string {
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

function legend(bands: readonly Band[]): string {
  const used = bands.map((b) => b.expected + b.seen).join("");
  const names = Object.entries(STATE_CHARACTERS).map(([name, c]) => [c, name] as const);
  const parts = [...names, [ELIDED, "left out"] as const].filter(([c]) => used.includes(c));
  if (bands.some((b) => b.eofExpected !== "" || b.eofSeen !== "")) parts.push(["E", "last byte"]);
  const touched = bands.map((b) => b.touched).join("");
  if (touched.includes("=")) parts.push(["=", "touched"]);
  if (touched.includes("-")) parts.push(["-", "not copied"]);
  return parts.map(([c, name]) => `${c} ${name}`).join("   ");
}

function mapLines(
  divergence: Divergence,
  expected: RecordedObservation,
  seen: RecordedObservation,
  blockSize: number,
  paint: Paint,
): string[] {
  const alone = expected === seen;
  const operation = divergence.operations[divergence.step];
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
  return [...lines, "", paint("dim", `${INDENT}${legend(picture.bands)}`)];
}

function cacheLine(name: string, cache: readonly CacheExtent[] | undefined): string {
  const ranges = (cache ?? []).map(({ lblk, len, state }) => {
    const end = lblk + len;
    const open = end >= 2 ** 32 - 1 ? "" : end - 1;
    return len === 1 ? `${lblk} ${state}` : `${lblk}-${open} ${state}`;
  });
  const text =
    cache === undefined ? "not known" : ranges.length === 0 ? "empty" : ranges.join(", ");
  return shortened(`${INDENT}${name.padEnd(LABEL)}${text}`);
}

/** A line that is as wide as the report at most. */
function shortened(line: string): string {
  return line.length > WIDTH ? `${line.slice(0, WIDTH - 4)} ...` : line;
}

function observationLines(divergence: Divergence, blockSize: number, paint: Paint): string[] {
  const { expected, seen, kind, step } = divergence;
  const when = `after operation ${step}`;
  const section = (title: string, table: string[], a: RecordedObservation, b = a): string[] => [
    paint("bold", title),
    ...table,
    "",
    ...mapLines(divergence, a, b, blockSize, paint),
    "",
  ];
  if (expected === undefined || seen === undefined) {
    const only = expected ?? seen;
    if (only === undefined) return [];
    const table = tableLines(kind, only, only, blockSize, paintWith(false))
      .slice(1)
      .map((line) => line.slice(0, INDENT.length + LABEL + VALUE).trimEnd());
    return section(`${when}, ${seen === undefined ? "expected" : "seen"}`, table, only);
  }
  if (kind === "power-cut" && expected.cut !== undefined && seen.cut !== undefined) {
    const title = `left by a power cut at operation ${step}, once the journal is replayed`;
    const table = cutLines(expected.cut, seen.cut, blockSize, paint);
    return section(title, table, asLeft(expected), asLeft(seen));
  }
  const lines = section(when, tableLines(kind, expected, seen, blockSize, paint), expected, seen);
  if (kind !== "cache") return lines;
  return [...lines, paint("bold", "extent status cache"), cacheLine("seen", seen.cache), ""];
}

/** Lines of e2fsck or the kernel log that are shown. */
const EVIDENCE_LINES = 20;

function evidenceLines(evidence: readonly string[] | undefined, paint: Paint): string[] {
  if (evidence === undefined || evidence.length === 0) return [];
  const shown = evidence
    .slice(0, EVIDENCE_LINES)
    .map((line) => shortened(`${INDENT}| ${printable(line.replaceAll("\t", " "))}`));
  const left = evidence.length - shown.length;
  if (left > 0) shown.push(`${INDENT}| ... ${left} more lines`);
  return [paint("bold", "what was said"), ...shown, ""];
}

/** The report of a divergence, lines ending in "\n". */
export function report(divergence: Divergence, context: ReportContext): string {
  const { variant, kernel, mountOptions, seed, command, colour } = context;
  const paint = paintWith(colour);
  const indented = (text: string): string[] =>
    wrap(printable(text), WIDTH - INDENT.length).map((line) => INDENT + line);
  const facts = [
    `variant ${printable(variant.name)}`,
    `kernel ${printable(kernel.release)}`,
    `path ${printable(kernel.path)}`,
    ...(seed === undefined ? [] : [`seed ${seed}`]),
    ...(mountOptions === undefined ? [] : [`mounted with ${printable(mountOptions)}`]),
  ];
  return [
    `${paint(["red", "bold"], "FAIL")}  ${paint("bold", titles[divergence.kind])}`,
    "",
    ...caseLines(divergence, variant.blockSize, paint),
    ...observationLines(divergence, variant.blockSize, paint),
    ...evidenceLines(divergence.evidence, paint),
    paint("bold", "first difference"),
    ...indented(divergence.message),
    "",
    paint("bold", "replay"),
    `${INDENT}${paint("cyan", printable(command))}`,
    "",
    ...indented(facts.join("   ")),
    "",
  ].join("\n");
}
