/**
 * A comparison in words: what a reviewer of a patch reads.
 */
import { knownDeviations } from "../../model/deviations/index.ts";
import type { Divergence } from "../finding/divergence.ts";
import { describeOperation } from "../operations/operation.ts";
import { counted, grouped } from "../text/numbers.ts";
import { tableOf } from "../text/table.ts";
import { paintWith } from "../text/terminal.ts";
import type { Paint } from "../text/terminal.ts";
import { isWorse, leftEarly, maybeWorse } from "./difference.ts";
import type { Change, Difference, OneSided, VariantDifference } from "./difference.ts";

const HEAD = [
  "variant",
  "baseline",
  "candidate",
  "maps changed",
  "st_blocks",
  "extents",
  "speed",
] as const;

/** "+12 (+0.3 %)"; "same" where nothing changed. */
export function changeText({ baseline, candidate }: Change): string {
  const by = candidate - baseline;
  if (by === 0) return "same";
  const sign = by > 0 ? "+" : "-";
  const percent = ((100 * Math.abs(by)) / baseline).toFixed(1);
  const share = percent === "0.0" ? "<0.1 %" : `${sign}${percent} %`;
  return `${sign}${grouped(Math.abs(by))}${baseline === 0 ? "" : ` (${share})`}`;
}

/** "+3 %"; "same" where it would be none. */
export function speedText({ baseline, candidate }: Change): string {
  if (baseline === 0 || candidate === 0) return "-";
  const percent = Math.round(100 * (candidate / baseline - 1));
  if (percent === 0) return "same";
  return `${percent < 0 ? "-" : "+"}${Math.abs(percent)} %`;
}

function stateOf(
  ran: VariantDifference["baseline"],
  variant: string,
  diverged: ReadonlySet<string>,
): string {
  if (ran === undefined) return "not run";
  return diverged.has(variant) ? "DIVERGES" : "conforms";
}

interface Diverged {
  baseline: ReadonlySet<string>;
  candidate: ReadonlySet<string>;
}

function row(of: VariantDifference, diverged: Diverged): string[] {
  const { variant, compared, mapsChanged } = of;
  const maps = mapsChanged === 0 ? "none" : `${grouped(mapsChanged)} of ${grouped(compared)}`;
  const comparable = compared > 0;
  return [
    stateOf(of.baseline, variant, diverged.baseline),
    stateOf(of.candidate, variant, diverged.candidate),
    comparable ? maps : "-",
    comparable ? changeText(of.blocks) : "-",
    comparable ? changeText(of.extents) : "-",
    speedText(of.perSecond),
  ];
}

function table(variants: readonly VariantDifference[], diverged: Diverged, paint: Paint): string[] {
  const rows = variants.map((one) => [one.variant, ...row(one, diverged)]);
  const [head, ...lines] = tableOf("lrrrrrr", [HEAD, ...rows]);
  return [paint("bold", head!), ...lines, ""];
}

function divergenceLine(
  { variant, kind, operations, step, message }: Divergence,
  note = "",
): string {
  const shown = operations.slice(0, step + 1).map(describeOperation);
  return `  ${variant}: ${note}${kind}: ${message}\n    ${shown.join("; ")}`;
}

function deviationLines(ids: readonly string[]): string[] {
  const known = knownDeviations.filter(({ id }) => ids.includes(id));
  return known.map(({ id, claim }) => `  ${id}\n    ${claim}`);
}

/** What one side alone has shown, of which it is not known whether the other would have. */
function undecidedLine({ side, divergence }: OneSided): string {
  const other = side === "baseline" ? "candidate" : "baseline";
  return divergenceLine(divergence, `only on the ${side}, but the ${other} was left early: `);
}

function leftLines(variants: readonly VariantDifference[]): string[] {
  return variants.flatMap((one) => {
    const sides = leftEarly(one);
    return sides.length === 0 ? [] : [`  ${one.variant}: ${sides.join(" and ")}`];
  });
}

function closing(what: Difference, paint: Paint, endedEarly: string | undefined): string {
  const cases = what.variants.reduce((sum, { compared }) => sum + compared, 0);
  const early = endedEarly === undefined ? "" : `; ended early: ${endedEarly}`;
  const over = `${counted(cases, "case")} that both kernels ran${early}`;
  if (isWorse(what)) return `${paint(["red", "bold"], "WORSE")}: see above; ${over}`;
  if (maybeWorse(what).length > 0) {
    const why = "what only the candidate has shown the baseline may do too, which was left early";
    return `${paint(["yellow", "bold"], "UNDECIDED")}: ${why}; ${over}`;
  }
  if (endedEarly !== undefined) {
    const ended = paint(["yellow", "bold"], "ENDED EARLY");
    return `${ended}: ${endedEarly}; nothing new is wrong in ${counted(cases, "case")} that both kernels ran`;
  }
  const better = what.gone.length + what.deviationsGone.length > 0;
  const word = better ? "BETTER" : "NO WORSE";
  return `${paint(["green", "bold"], word)}: nothing new is wrong in ${over}`;
}

/**
 * The comparison, lines ending in "\n". `diverged` has the variants that diverged on each kernel.
 *
 * @param endedEarly what ended it before its time; undefined where nothing did
 */
export function comparisonText(
  what: Difference,
  diverged: Diverged,
  colour: boolean,
  endedEarly?: string,
): string {
  const paint = paintWith(colour);
  const changed = what.variants.filter(({ firstChanged }) => firstChanged !== undefined);
  const maps = changed.map(
    ({ variant, mapsChanged, firstChanged }) =>
      `  ${variant}: ${counted(mapsChanged, "case")}, the first is case ${firstChanged}`,
  );
  const notCompared = what.notCompared.map((variant) => `  ${variant}`);
  const under = (title: string, lines: readonly string[]): string[] =>
    lines.length === 0 ? [] : [paint("bold", title), ...lines, ""];
  return [
    ...table(what.variants, diverged, paint),
    ...under(
      "new divergences",
      what.appeared.map((one) => divergenceLine(one)),
    ),
    ...under(
      "divergences that are gone",
      what.gone.map((one) => divergenceLine(one)),
    ),
    ...under("divergences of which nothing is claimed", what.undecided.map(undecidedLine)),
    ...under("known deviations that are new", deviationLines(what.deviationsAppeared)),
    ...under("known deviations that are gone", deviationLines(what.deviationsGone)),
    ...under("files with another map (both are right)", maps),
    ...under("left early: the rest of the cases was not run", leftLines(what.variants)),
    ...under("not compared: one of the two kernels cannot run it, or did not", notCompared),
    closing(what, paint, endedEarly),
    "",
  ].join("\n");
}
