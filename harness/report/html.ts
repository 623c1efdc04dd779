/**
 * The outcome as one file for a browser: html/ has what it looks like, this is what is in it.
 */
import { knownDeviations } from "../../model/deviations/index.ts";
import { findVariant } from "../../images/variants.ts";
import { identityOf } from "../finding/identity.ts";
import { SEVERITIES } from "../finding/severity.ts";
import type { Severity } from "../finding/severity.ts";
import type { Statistics } from "../lockstep/statistics.ts";
import { counted } from "../text/numbers.ts";
import { documentOf } from "./html/document.ts";
import type { FindingPage, MetTable, Page, VariantPage } from "./html/page.ts";
import { findingPage } from "./html-finding.ts";
import type { Finding, Outcome, Subtest } from "./outcome.ts";
import { worstText } from "./ranked.ts";
import { countsIn, TABLES } from "./statistics.ts";

const rankOf = ({ severity }: { severity?: Severity }): number =>
  severity === undefined ? SEVERITIES.length : SEVERITIES.indexOf(severity);

/** What counts comes first, then what was seen once only, then what somebody has accepted. */
const doubtOf = ({ confirmed, accepted }: Pick<FindingPage, "confirmed" | "accepted">): number =>
  accepted === undefined ? Number(!confirmed) : 2;

/** What is found in several variants is one finding: the first of each, and the others like it. */
function together({ subtests }: Outcome): [subtest: Subtest, finding: Finding, also: Finding[]][] {
  const all = new Map<string, [Subtest, Finding, Finding[]]>();
  for (const subtest of subtests) {
    for (const finding of subtest.findings) {
      const identity = `${identityOf(finding.divergence)} ${doubtOf(finding)}`;
      const before = all.get(identity);
      if (before === undefined) all.set(identity, [subtest, finding, []]);
      else before[2].push(finding);
    }
  }
  return [...all.values()];
}

/** Of all variants, the worst first. */
function findingsOf(outcome: Outcome): FindingPage[] {
  const { kernel } = outcome;
  const pages = together(outcome).map(([subtest, finding, also]) =>
    findingPage(finding, { subtest, variant: findVariant(finding.variant), kernel, also }),
  );
  return pages.toSorted((a, b) => doubtOf(a) - doubtOf(b) || rankOf(a) - rankOf(b));
}

type Counted = keyof Subtest["counts"];

/** What is counted of any of them, in the order in which they count. */
function countedIn(subtests: readonly Subtest[]): Counted[] {
  const names = subtests.flatMap(({ counts }) => Object.keys(counts) as Counted[]);
  return [...new Set(names)];
}

function variantPage(subtest: Subtest, names: readonly Counted[]): VariantPage {
  const { name, status, path = "", counts, seconds, mountOptions = "", promised } = subtest;
  const alone = promised === undefined ? [] : [`the contract alone judged: ${promised}`];
  const notes = [...(subtest.reason === undefined ? [] : [subtest.reason]), ...alone];
  return {
    name,
    status,
    path,
    notes,
    counts: names.map((one) => counts[one]),
    seconds,
    mountOptions,
  };
}

/** What a subtest is of. */
const ABOUT: Readonly<Record<Outcome["command"], string>> = {
  run: "variant",
  explore: "variant",
  compare: "variant",
  replay: "case",
  "trace check": "recording",
};

function deviationsOf(subtests: readonly Subtest[]): Page["deviations"] {
  const cases = new Map<string, number>();
  for (const { deviations } of subtests) {
    for (const [id, count] of Object.entries(deviations)) {
      cases.set(id, (cases.get(id) ?? 0) + count);
    }
  }
  const deviations = [...cases].map(([id, count]) => {
    const { claim = "", severity } = knownDeviations.find((one) => one.id === id) ?? {};
    return { id, cases: count, claim, ...(severity && { severity }) };
  });
  return deviations.toSorted((a, b) => rankOf(a) - rankOf(b) || b.cases - a.cases);
}

/** The worst that is known of the kernel, or was accepted, in a sentence; may be empty. */
function worstKnown(subtests: readonly Subtest[]): string {
  const worst = worstText([
    ...deviationsOf(subtests).map(({ id, severity }) => ({ name: id, severity })),
    ...subtests.flatMap(({ findings }) =>
      findings.flatMap(({ severity, accepted }) =>
        accepted === undefined ? [] : [{ name: accepted, severity }],
      ),
    ),
  ]);
  return worst === "" ? "" : ` Known: ${worst}.`;
}

/** What it came to, behind the word for it. */
function sentenceOf(outcome: Outcome): string {
  const { command, verdict, subtests, endedEarly } = outcome;
  const total = (name: Counted): number =>
    subtests.reduce((sum, { counts }) => sum + (counts[name] ?? 0), 0);
  const ran = (["cases", "states", "edges", "operations", "steps"] as const)
    .filter((name) => total(name) > 0)
    .map((name) => counted(total(name), name.slice(0, -1)))
    .join(", ");
  const all = counted(subtests.length, ABOUT[command]);
  const ended = endedEarly === undefined ? "" : ` Ended early: ${endedEarly.message}.`;
  const failed = subtests.filter(({ status }) => status === "fail").length;
  const found = together(outcome).filter(([, { accepted }]) => accepted === undefined).length;
  if (verdict === "diverges") {
    return `${counted(found, "finding")} in ${failed} of ${all}; ${ran}.${ended}`;
  }
  if (verdict === "not-reproduced") {
    return `${counted(found, "finding")} that a fresh image did not show again; ${ran}, ${all}.${ended}`;
  }
  const known = worstKnown(subtests);
  return `No unnamed divergence in ${ran === "" ? "no case" : ran}, ${all}.${known}${ended}`;
}

function kernelText({ release, machine, kind, series }: NonNullable<Outcome["kernel"]>): string {
  const parts = [release, machine, kind === undefined ? undefined : `(${kind})`, series];
  return parts.filter((part) => part !== undefined).join(" ");
}

function factsOf(outcome: Outcome): Page["facts"] {
  const { kernel, baseline, seed, strict, host, started, seconds } = outcome;
  return [
    ...(kernel === undefined ? [] : ([["kernel", kernelText(kernel)]] as const)),
    ...(baseline === undefined ? [] : ([["baseline", kernelText(baseline)]] as const)),
    ...(seed === undefined ? [] : ([["seed", String(seed)]] as const)),
    ["known deviations", strict ? "count as divergences" : "expected"],
    ["machine", host],
    ["begun", started.replace("T", " ").replace(/\.\d+Z$/, " UTC")],
    ["took", `${seconds.toFixed(1)} s`],
  ];
}

/** All tables of statistics as one; the first is of states. */
function metTable(met: Statistics): MetTable {
  const columns = TABLES.flatMap((table): readonly string[] => table.columns);
  return { groups: TABLES, rows: countsIn(met, columns) };
}

function pageOf(outcome: Outcome): Page {
  const { tool, command, verdict, subtests, met, patch } = outcome;
  const names = countedIn(subtests);
  return {
    tool: `ext4-conform ${tool} ${command}`,
    verdict,
    sentence: sentenceOf(outcome),
    facts: factsOf(outcome),
    findings: findingsOf(outcome),
    counted: names,
    variants: subtests.map((subtest) => variantPage(subtest, names)),
    ...(met && { met: metTable(met) }),
    ...(patch && { patch }),
    deviations: deviationsOf(subtests),
  };
}

/** The document, which holds all that it shows. */
export const html = (outcome: Outcome): string => documentOf(pageOf(outcome));
