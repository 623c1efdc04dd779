/**
 * The failure report: what a kernel developer reads first, and often the only thing. Golden files
 * beside the test show what it looks like.
 *
 * 80 columns, ASCII, so that it survives a mailing list. Only the command that replays the case
 * may be longer, since it must stay in one piece.
 */
import type { Divergence, DivergenceKind, EarlierCase } from "../finding/divergence.ts";
import { blocksWith, rangeOf } from "../aspects/effects.ts";
import { describeOperation, targetOf, type Operation } from "../operations/operation.ts";
import { type Paint, paintWith, printable } from "../text/terminal.ts";
import { fitted, wrap } from "../text/wrap.ts";
import type { Variant } from "../case/variant.ts";
import { argumentLines } from "./argument.ts";
import { indented, INDENT, WIDTH } from "./layout.ts";
import type { TimelineStep } from "../finding/timeline.ts";
import { LEGEND, observationLines, stepLines } from "./observed.ts";

export interface ReportContext {
  variant: Pick<Variant, "name" | "blockSize">;
  kernel: { release: string; path: string };
  /** As the kernel lists them; absent where nothing was mounted. */
  mountOptions?: string | undefined;
  /** Absent where the case was not generated. */
  seed?: number | undefined;
  /** Ids of the known deviations that explain it; absent where nobody asked. */
  named?: readonly string[] | undefined;
  /** The promise that it breaks too, in words; absent where it breaks none, or nobody asked. */
  breaks?: string | undefined;
  /** Trace events that the failing call passed; absent where the kernel did not tell. */
  passed?: readonly string[] | undefined;
  /** How this program is started where the report is read; its name where that is not known. */
  program?: string | undefined;
  /** The one command that runs this case again. */
  command: string;
  colour: boolean;
}

/** Operations that are listed before the failing one; a case that was shrunk has fewer. */
const LISTED = 40;

/** What is wrong, in a sentence. */
export const titles: Readonly<Record<DivergenceKind, string>> = {
  result: "model and kernel disagree on what the call returned",
  i_size: "model and kernel disagree on i_size",
  map: "model and kernel disagree on the blocks of the file",
  reserved: "model and kernel disagree on the blocks reserved for delayed allocation",
  cache: "the extent status cache is wrong",
  st_blocks: "model and kernel disagree on st_blocks",
  pages: "model and kernel disagree on what is in the page cache",
  read: "model and kernel disagree on the bytes of the file",
  "power-cut": "the file is not what a power cut must leave of it",
  "power-cut-map": "a power cut leaves other blocks than it must",
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

/** "blocks 0-3"; empty where it names no bytes. */
export function blocksOf(operation: Operation, blockSize: number): string {
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

/** The file after every operation of a timeline, lines ending in "\n". */
export function stepsText(
  timeline: readonly TimelineStep[],
  operations: readonly Operation[],
  blockSize: number,
  colour: boolean,
): string {
  const paint = paintWith(colour);
  const head = paint("bold", "step by step");
  const steps = timeline.flatMap((one) => {
    const operation = operations[one.step];
    const title = operation === undefined ? "" : describeOperation(operation);
    const lines = stepLines(one, operation, blockSize, paint);
    return ["", `${String(one.step).padStart(3)}  ${paint("bold", title)}`, ...lines];
  });
  return fitted([head, ...steps, "", `${INDENT}${LEGEND}`, "", ""].join("\n"), WIDTH);
}

/** Cases that are listed before the one that shows it. */
export const EARLIER = 10;

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

/** Lines of e2fsck or the kernel log that are shown. */
const EVIDENCE_LINES = 20;

/** A line of it, behind a bar; what does not fit goes on a little further in. */
function evidenceLine(line: string): string[] {
  const lines = wrap(printable(line.replaceAll("\t", " ")), WIDTH - 2 * INDENT.length - 2);
  return lines.map((one, i) => `${INDENT}| ${i === 0 ? "" : INDENT}${one}`);
}

function evidenceLines(evidence: readonly string[] | undefined, paint: Paint): string[] {
  if (evidence === undefined || evidence.length === 0) return [];
  const told = evidence.slice(0, EVIDENCE_LINES);
  const shown = told.flatMap(evidenceLine);
  const left = evidence.length - told.length;
  if (left > 0) shown.push(`${INDENT}| ... ${left} more lines`);
  return [paint("bold", "what was said"), ...shown, ""];
}

/** The report of a divergence, lines ending in "\n". */
export function report(divergence: Divergence, context: ReportContext): string {
  const { variant, kernel, mountOptions, seed, command, colour } = context;
  const paint = paintWith(colour);
  const facts = [
    `variant ${printable(variant.name)}`,
    `kernel ${printable(kernel.release)}`,
    `path ${printable(kernel.path)}`,
    ...(seed === undefined ? [] : [`seed ${seed}`]),
    ...(mountOptions === undefined ? [] : [`mounted with ${printable(mountOptions)}`]),
  ];
  const lines = [
    `${paint(["red", "bold"], "FAIL")}  ${paint("bold", titles[divergence.kind])}`,
    "",
    ...caseLines(divergence, variant.blockSize, paint),
    ...observationLines(divergence, variant.blockSize, paint),
    ...evidenceLines(divergence.evidence, paint),
    paint("bold", divergence.kind === "contract" ? "broken promise" : "first difference"),
    ...indented(divergence.message),
    "",
    ...argumentLines(divergence, context, paint),
    paint("bold", "replay"),
    `${INDENT}${paint("cyan", printable(command))}`,
    "",
    INDENT + facts.join("   "),
    "",
  ];
  return fitted(lines.join("\n"), WIDTH);
}
