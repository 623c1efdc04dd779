/**
 * The verdict: what a run came to, for a person and for the exit status.
 */
import { knownDeviations } from "../../model/deviations/index.ts";
import { witnessesOf } from "../lockstep/deviations.ts";
import { describeOperation } from "../operations/operation.ts";
import { counted, grouped } from "../text/numbers.ts";
import type { JobResult, SupervisorResult } from "../run/supervisor.ts";
import { handoverReasons, handoverReasonSchema } from "../lockstep/handover.ts";
import { byVariant, speedOf, sum } from "../run/by-variant.ts";
import { tableOf } from "../text/table.ts";
import { paintWith, printable } from "../text/terminal.ts";
import type { Paint } from "../text/terminal.ts";
import { findingLines, worstText } from "./ranked.ts";
import { severityOf } from "../finding/severity.ts";
import { NOTHING_RUN } from "../stored/result.ts";
import type { FoundDivergence, Mounted, RunCounts } from "../stored/result.ts";

/** What all jobs came to on one variant. */
interface Row extends JobResult {
  diverged: FoundDivergence[];
  /** A job was still at it when the run ended. */
  underWay: boolean;
}

/** Of all variants, with those that jobs were at when the run ended. */
export function allResults({ results, underWay }: SupervisorResult): JobResult[] {
  return [...results, ...underWay.values()];
}

/** Whether there was a case, or a finding without one. */
export function ranAnything(result: SupervisorResult): boolean {
  return result.found.length > 0 || allResults(result).some(({ counts }) => counts.cases > 0);
}

function printableMounted({ options, promised, ...rest }: Mounted): Mounted {
  const why = promised === undefined ? {} : { promised: printable(promised) };
  return { ...rest, options: printable(options), ...why };
}

function rowsOf(all: SupervisorResult): Row[] {
  const atIt = new Set([...all.underWay.values()].map(({ variant }) => variant));
  return byVariant(allResults(all)).map((row) => ({
    ...row,
    // Of a merge these are from a file.
    variant: printable(row.variant),
    mounted: printableMounted(row.mounted),
    diverged: unaccepted(all).filter(({ variant }) => variant === row.variant),
    underWay: atIt.has(row.variant),
  }));
}

function resultText(row: Row, paint: Paint): string {
  if (row.diverged.length === 0) {
    if (row.underWay) return paint("yellow", "ended early");
    return row.counts.cases === 0 ? paint("yellow", "not run") : paint("green", "conforms");
  }
  if (row.diverged.some(({ confirmed }) => confirmed)) return paint("red", "DIVERGES");
  return paint("yellow", "not reproduced");
}

/** The heads of its columns. */
const HEAD = ["variant", "path", "cases", "operations", "a second", "on disk", "result"];

function table(rows: readonly Row[], paint: Paint): string[] {
  const cells = rows.map((row) => {
    const { cases, operations, files } = row.counts;
    const numbers = [cases, operations, speedOf(row), files].map(grouped);
    const path = row.mounted.path ?? "not known";
    return [row.variant, path, ...numbers, resultText(row, paint)];
  });
  const [head, ...lines] = tableOf("llrrrrl", [HEAD, ...cells]);
  return [paint("bold", head!), ...lines];
}

/** What was mounted with the same options, together. */
function mountLines(rows: readonly Row[], paint: Paint): string[] {
  const byOptions = new Map<string, string[]>();
  for (const { variant, mounted } of rows) {
    if (mounted.options === "") continue;
    byOptions.set(mounted.options, [...(byOptions.get(mounted.options) ?? []), variant]);
  }
  const lines = [...byOptions].map(([options, names]) => `  ${options}: ${names.join(", ")}`);
  return lines.length === 0 ? [] : [paint("bold", "mounted with"), ...lines, ""];
}

function deviationLines({ deviations: inCases }: RunCounts, paint: Paint): string[] {
  if (Object.keys(inCases).length === 0) return [];
  const lines = [
    paint("bold", "known deviations of this kernel (expected; --strict fails on them)"),
  ];
  for (const deviation of knownDeviations) {
    const cases = inCases[deviation.id];
    if (cases === undefined) continue;
    const [shortest, ...others] = witnessesOf(deviation).map((operations) =>
      operations.map(describeOperation).join("; "),
    );
    lines.push(
      `  ${paint("yellow", deviation.id)}: ${cases === 0 ? "shown by its witness only" : `in ${counted(cases, "case")}`}`,
      `    ${deviation.claim}`,
      `    shortest: ${shortest}`,
      // Which of them told is not kept; on some kernels only this one can.
      ...others.map((witness) => `          or: ${witness}`),
    );
  }
  return [...lines, ""];
}

/** What is said of a page cache that was another one only once; empty where none was. */
export function transientText(times: number): string {
  if (times === 0) return "";
  return `${counted(times, "time")} the page cache differed from the model's, and did not when the case was begun anew; a folio that somebody holds or reclaims does that\n`;
}

/** Where the contract alone judged, all of a variant or the end of some cases. */
function promisedLines(rows: readonly Row[], { handedOver }: RunCounts, paint: Paint): string[] {
  const lines = rows.flatMap(({ variant, mounted: { promised } }) =>
    promised === undefined ? [] : [`  ${variant}: ${promised}`],
  );
  for (const reason of handoverReasonSchema.options) {
    const cases = handedOver[reason] ?? 0;
    if (cases === 0) continue;
    lines.push(`  the end of ${counted(cases, "case")}: ${handoverReasons[reason]}`);
  }
  return lines.length === 0 ? [] : [paint("bold", "judged by the contract alone"), ...lines, ""];
}

/** What was found, without what somebody has accepted. */
export const unaccepted = ({ found }: SupervisorResult): FoundDivergence[] =>
  found.filter(({ accepted }) => accepted === undefined);

/** The divergences that count: shown again by themselves on a fresh image. */
export const confirmedDivergences = (result: SupervisorResult): FoundDivergence[] =>
  unaccepted(result).filter(({ confirmed }) => confirmed);

/** How many cases told nothing behind what was accepted; begins with "; ", empty where none did. */
function acceptedText({ found }: SupervisorResult): string {
  const met = found.reduce((sum, one) => sum + (one.accepted === undefined ? 0 : one.met), 0);
  return met === 0 ? "" : `; ${counted(met, "case")} ended at what was accepted`;
}

/** The worst that is known of the kernel, or was accepted; begins with "; ", may be empty. */
export function worstKnown(result: SupervisorResult): string {
  const shown = new Set(allResults(result).flatMap(({ counts }) => Object.keys(counts.deviations)));
  const worst = worstText([
    ...knownDeviations
      .filter(({ id }) => shown.has(id))
      .map(({ id, severity }) => ({ name: id, severity })),
    ...result.found.flatMap(({ accepted, divergence }) =>
      accepted === undefined ? [] : [{ name: accepted, severity: severityOf(divergence) }],
    ),
  ]);
  return worst === "" ? "" : `; known: ${printable(worst)}`;
}

/** Variants that have a confirmed divergence. */
export const divergedVariants = (result: SupervisorResult): Set<string> =>
  new Set(confirmedDivergences(result).map(({ variant }) => variant));

/**
 * What is to be said of variants that were not run, or not for as many cases as were asked for;
 * begins with "; ".
 */
function leftOut({ notRun }: SupervisorResult, rows: readonly Row[], asked: Asked): string {
  const named = (which: readonly Row[]): string => which.map(({ variant }) => variant).join(", ");
  // What a signal ended is said by itself.
  const cutOff = rows.filter(({ underWay }) => underWay && asked.endedEarly === undefined);
  const late = rows.filter((row) => row.timeUp || cutOff.includes(row));
  const full = rows.filter(({ foundEnough }) => foundEnough);
  const cut = asked.cases !== undefined && late.length > 0;
  return [
    ...(full.length > 0 ? [`; the rest of ${named(full)} was not run: enough was found`] : []),
    ...(cut ? [`; the time was up before all cases of ${named(late)}`] : []),
    ...(cutOff.length > 0 ? [`; ended before the last look at the disk of ${named(cutOff)}`] : []),
    ...(notRun.length > 0 ? [`; not run: ${notRun.join(", ")}`] : []),
  ].join("");
}

/** What was asked of a run, and whether it came to that. */
export interface Asked {
  /** Cases for each variant; undefined where time was the limit. */
  cases?: number | undefined;
  /** What ended it before its time. */
  endedEarly?: string | undefined;
  /** Why there may have been no case, and what would bring one. */
  whyNothing?: string | undefined;
  /** Where counterexamples were written. */
  files?: ReadonlyMap<FoundDivergence, string>;
}

function closing(
  result: SupervisorResult,
  rows: readonly Row[],
  { cases, tries, operations }: RunCounts,
  paint: Paint,
  asked: Asked,
): string {
  const shrunk = tries === 0 ? "" : `, ${grouped(tries)} tries to make them smaller`;
  const ran = `${counted(cases, "case")}${shrunk}, ${counted(operations, "operation")}`;
  const all = counted(rows.length, "variant");
  const left = leftOut(result, rows, asked);
  const variants = `${all}${left}`;
  const diverged = divergedVariants(result).size;
  const ended = asked.endedEarly === undefined ? "" : `; ended early: ${asked.endedEarly}`;
  if (diverged > 0) {
    return `${paint(["red", "bold"], "DIVERGES")}: in ${diverged} of ${all}; ${ran}${left}${ended}`;
  }
  const found = unaccepted(result).length;
  if (found > 0) {
    const seen = `${counted(found, "divergence")} that a fresh image did not show again`;
    return `${paint(["yellow", "bold"], "NOT REPRODUCED")}: ${seen}, see above; ${ran}, ${variants}`;
  }
  if (asked.endedEarly !== undefined) {
    return `${paint(["yellow", "bold"], "ENDED EARLY")}: ${asked.endedEarly}; no unnamed divergence in ${ran}, ${variants}`;
  }
  if (!ranAnything(result)) {
    const why = asked.whyNothing === undefined ? "" : `: ${asked.whyNothing}`;
    return `${paint(["yellow", "bold"], "NOT RUN")}: no case, ${variants}${why}`;
  }
  const known = `${acceptedText(result)}${worstKnown(result)}`;
  return `${paint(["green", "bold"], "CONFORMS")}: no unnamed divergence in ${ran}, ${variants}${known}`;
}

/** The whole verdict, lines ending in "\n". */
export function verdict(result: SupervisorResult, colour: boolean, asked: Asked = {}): string {
  const paint = paintWith(colour);
  const rows = rowsOf(result);
  const total = rows.map(({ counts }) => counts).reduce(sum, NOTHING_RUN);
  return [
    ...table(rows, paint),
    "",
    ...mountLines(rows, paint),
    ...promisedLines(rows, total, paint),
    ...deviationLines(total, paint),
    ...findingLines(result.found, asked.files, paint),
    ...(total.transient === 0 ? [] : [transientText(total.transient)]),
    closing(result, rows, total, paint, asked),
    "",
  ].join("\n");
}
