/**
 * The argument of a report: who says that the kernel is wrong, and where a reader begins who wants
 * to know why.
 */
import { olderThan } from "../../model/kernels/kernels.ts";
import { knownDeviations } from "../../model/deviations/index.ts";
import { promises } from "../contract/promises.ts";
import type { Divergence } from "../finding/divergence.ts";
import { effectsOf } from "../operations/operation.ts";
import { printable, type Paint } from "../text/terminal.ts";
import { INDENT, indented } from "./layout.ts";

/** What is known beside the divergence itself. */
export interface Known {
  named?: readonly string[] | undefined;
  breaks?: string | undefined;
  /** The kernel that showed it; absent where that is not known. */
  kernel?: { release: string } | undefined;
  /** How this program is started where the report is read; its name where that is not known. */
  program?: string | undefined;
  /** Trace events that the failing call passed. */
  passed?: readonly string[] | undefined;
}

export interface Argument {
  /** Why it is wrong, in sentences that stand by themselves. */
  why: string[];
  /** Where to begin; absent where there is no operation. */
  where?: { kernel: string; model?: string };
}

/** Who made the promise that `words` name. */
function sourceOf(words: string): string[] {
  const broken = promises.find(({ id }) => words.includes(`: ${id}. `));
  return broken === undefined ? [] : [`Who promised it: ${broken.source}.`];
}

type Explains = (id: string) => string;

/** Where a page is read on any machine, and not where it was made. */
const anywhere: Explains = (id) => ` (ext4-conform explain ${id})`;

function whyOf(
  { kind, message }: Divergence,
  { named = [], breaks, kernel }: Known,
  explains: Explains,
): string[] {
  const known = knownDeviations
    .filter(({ id }) => named.includes(id))
    .map(({ id, reason }) => `${reason}${explains(id)}`);
  if (kind === "contract") {
    const judged = "It breaks a promise: what was seen decides that, not the model.";
    return [...known, judged, ...sourceOf(message)];
  }
  if (breaks !== undefined && breaks !== "") {
    return [...known, `It breaks a promise: ${breaks}`, ...sourceOf(breaks)];
  }
  if (kind === "e2fsck" || kind === "mount" || kind === "kernel-log") {
    return ["It is the kernel, or e2fsck, that says so; no model was asked."];
  }
  if (breaks === undefined || known.length > 0) return known;
  const oldest = kernel && olderThan(kernel.release);
  if (oldest !== undefined) {
    return [
      `No promise is broken there, as far as was seen. The model follows kernels from ${oldest} on, and this one is older: it does otherwise, which need not be wrong.`,
    ];
  }
  return [
    "No promise is broken there, as far as was seen: only the model says that it is wrong, and it may be the model that is.",
  ];
}

/** What is to be said of a divergence. */
export function argumentOf(
  divergence: Divergence,
  known: Known,
  explains: Explains = anywhere,
): Argument {
  const operation = divergence.operations[divergence.step];
  const where = operation && effectsOf(operation).begins;
  // A promise is not what a function of the model does.
  const begin = divergence.kind === "contract" ? where && { kernel: where.kernel } : where;
  return { why: whyOf(divergence, known, explains), ...(begin && { where: begin }) };
}

/** Trace events that are shown. */
const EVENTS = 24;

/** Which trace events the failing call passed, in their order. */
function passedLines(passed: readonly string[] | undefined, paint: Paint): string[] {
  if (passed === undefined || passed.length === 0) return [];
  const shown = passed.slice(0, EVENTS).map((event) => `${INDENT}${printable(event)}`);
  const left = passed.length - shown.length;
  if (left > 0) shown.push(`${INDENT}... ${left} more (all are in --report json)`);
  return [paint("bold", "trace events that the failing call passed"), ...shown, ""];
}

/** Lines of a report, with their headings. */
export function argumentLines(divergence: Divergence, known: Known, paint: Paint): string[] {
  const { named = [], program = "ext4-conform" } = known;
  const { why, where } = argumentOf(divergence, known, () => "");
  const more = knownDeviations.filter(({ id }) => named.includes(id));
  return [
    ...(why.length === 0
      ? []
      : [paint("bold", "why that is wrong"), ...why.flatMap((one) => indented(one))]),
    ...more.map(({ id }) => `${INDENT}more of it: ${program} explain ${id}`),
    ...(why.length === 0 ? [] : [""]),
    ...(where === undefined
      ? []
      : [
          paint("bold", "where to begin"),
          `${INDENT}kernel  ${where.kernel}`,
          ...(where.model === undefined ? [] : [`${INDENT}model   ${where.model}`]),
          "",
        ]),
    ...passedLines(known.passed, paint),
  ];
}
