/**
 * Findings, the worst first, and each once, whatever variants it was met in.
 */
import { identityOf } from "../finding/identity.ts";
import { bySeverity, SEVERITIES, severityOf } from "../finding/severity.ts";
import type { Severity } from "../finding/severity.ts";
import type { FoundDivergence, SecondKernel } from "../stored/result.ts";
import { counted } from "../text/numbers.ts";
import { printable } from "../text/terminal.ts";
import type { Paint } from "../text/terminal.ts";
import { INDENT } from "./layout.ts";

/** One finding. */
export interface Ranked {
  severity: Severity;
  /**
   * Of each variant that showed it, as it was found there; the one with the shortest case first.
   */
  found: readonly [FoundDivergence, ...FoundDivergence[]];
}

const lengthOf = ({ divergence: { operations, before = [] } }: FoundDivergence): number =>
  before.reduce((sum, one) => sum + one.operations.length, operations.length);

/**
 * The worst first; of those as bad as one another what a fresh image showed again, and the short.
 */
export function ranked(found: readonly FoundDivergence[]): Ranked[] {
  const all = new Map<string, FoundDivergence[]>();
  for (const one of found.toSorted((a, b) => lengthOf(a) - lengthOf(b))) {
    const identity = identityOf(one.divergence);
    all.set(identity, [...(all.get(identity) ?? []), one]);
  }
  return [...all.values()]
    .map((same) => same as [FoundDivergence, ...FoundDivergence[]])
    .toSorted(
      ([a], [b]) =>
        bySeverity(a.divergence, b.divergence) || Number(b.confirmed) - Number(a.confirmed),
    )
    .map((same) => ({ severity: severityOf(same[0].divergence), found: same }));
}

/** What a severity means, for a reader who has data there. */
export const severityWords: Readonly<Record<Severity, string>> = {
  data: "data is lost, or somebody else's is shown",
  "file system": "the file system is damaged, or not to be used",
  "size or space": "wrong size or space",
  accounting: "accounting",
  "page cache": "page cache only",
};

/** What is known of a kernel, or was accepted. */
interface KnownAs {
  name: string;
  severity?: Severity | undefined;
}

/**
 * The worst of it, in words and with all names of what is as bad: a verdict over lost data is no
 * all-clear. Empty where nothing is known.
 */
export function worstText(known: readonly KnownAs[]): string {
  const worst = SEVERITIES.find((one) => known.some(({ severity }) => severity === one));
  if (worst === undefined) return "";
  const names = known.flatMap(({ name, severity }) => (severity === worst ? [name] : []));
  return `${severityWords[worst]} (${[...new Set(names)].join(", ")})`;
}

/** In words, behind other notes on a finding. */
export const secondText = ({ release, does, message }: SecondKernel): string => {
  const more = message === undefined ? "" : `: ${message}`;
  return {
    same: `${release} does the same`,
    other: `${release} does otherwise${more}`,
    "as it must": `${release} does as it must`,
    cannot: `${release} was not asked${more}`,
  }[does];
};

/** Of a finding in its variants: how many of `what` met it there, and its file. */
function whereLine(
  { variant, met, confirmed, named, accepted, second }: FoundDivergence,
  file: string | undefined,
  what: string,
): string {
  const notes = [
    counted(met, what),
    ...(confirmed ? [] : ["not again on a fresh image"]),
    ...named.map((id) => `known as ${id}`),
    ...(accepted === undefined ? [] : [`accepted by ${accepted}`]),
    ...(second === undefined ? [] : [secondText(second)]),
    ...(file === undefined ? [] : [file]),
  ];
  return printable(`${INDENT}${INDENT}${variant}: ${notes.join(", ")}`);
}

/**
 * All findings, with a heading; nothing where there are none.
 *
 * @param what a word for what is counted of them, of one
 */
export function findingLines(
  found: readonly FoundDivergence[],
  files: ReadonlyMap<FoundDivergence, string> | undefined,
  paint: Paint,
  what = "case",
): string[] {
  if (found.length === 0) return [];
  const lines = ranked(found).flatMap(({ severity, found: same }) => {
    const claim = `${severityWords[severity]}: ${printable(same[0].divergence.message)}`;
    return [INDENT + claim, ...same.map((one) => whereLine(one, files?.get(one), what))];
  });
  return [paint("bold", "findings, the worst first"), ...lines, ""];
}
