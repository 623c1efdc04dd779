/**
 * The argument of a report: who says that the kernel is wrong, and where a reader begins who wants
 * to know why.
 */
import { knownDeviations } from "../../model/deviations/index.ts";
import { promises } from "../contract/promises.ts";
import type { Divergence } from "../finding/divergence.ts";
import { effectsOf } from "../operations/operation.ts";
import { printable, type Paint } from "../text/terminal.ts";
import { INDENT, indented, shortened } from "./layout.ts";

/** What is known beside the divergence itself. */
export interface Known {
  named?: readonly string[] | undefined;
  breaks?: string | undefined;
  /** Trace events that the failing call passed. */
  passed?: readonly string[] | undefined;
}

export interface Argument {
  /** Why it is wrong, in sentences that stand by themselves. */
  why: string[];
  /** Where to begin; absent where there is no operation. */
  where?: { kernel: string; model: string };
}

/** Who made the promise that `words` name. */
function sourceOf(words: string): string[] {
  const broken = promises.find(({ id }) => words.includes(`: ${id}. `));
  return broken === undefined ? [] : [`Who promised it: ${broken.source}.`];
}

function whyOf({ kind, message }: Divergence, { named = [], breaks }: Known): string[] {
  const known = knownDeviations
    .filter(({ id }) => named.includes(id))
    .map(({ id, reason }) => `${reason} (ext4-conform explain ${id})`);
  if (kind === "contract") {
    return [...known, "It breaks a promise, whatever the model says.", ...sourceOf(message)];
  }
  if (breaks !== undefined && breaks !== "") {
    return [...known, `It breaks a promise: ${breaks}`, ...sourceOf(breaks)];
  }
  if (kind === "e2fsck" || kind === "mount" || kind === "kernel-log") {
    return ["It is the kernel, or e2fsck, that says so; no model was asked."];
  }
  if (breaks === undefined || known.length > 0) return known;
  return [
    "No promise is broken there, as far as was seen: only the model says that it is wrong, and it may be the model that is.",
  ];
}

/** What is to be said of a divergence. */
export function argumentOf(divergence: Divergence, known: Known): Argument {
  const operation = divergence.operations[divergence.step];
  const where = operation && effectsOf(operation).begins;
  return { why: whyOf(divergence, known), ...(where && { where }) };
}

/** Trace events that are shown. */
const EVENTS = 24;

/** Which trace events the failing call passed, in their order. */
function passedLines(passed: readonly string[] | undefined, paint: Paint): string[] {
  if (passed === undefined || passed.length === 0) return [];
  const shown = passed.slice(0, EVENTS).map((event) => shortened(`${INDENT}${printable(event)}`));
  const left = passed.length - shown.length;
  if (left > 0) shown.push(`${INDENT}... ${left} more (all are in --report json)`);
  return [paint("bold", "trace events that the failing call passed"), ...shown, ""];
}

/** Lines of a report, with their headings. */
export function argumentLines(divergence: Divergence, known: Known, paint: Paint): string[] {
  const { why, where } = argumentOf(divergence, known);
  return [
    ...(why.length === 0 ? [] : [paint("bold", "why that is wrong"), ...why.flatMap(indented), ""]),
    ...(where === undefined
      ? []
      : [
          paint("bold", "where to begin"),
          ...indented(`kernel  ${where.kernel}   model  ${where.model}`),
          "",
        ]),
    ...passedLines(known.passed, paint),
  ];
}
