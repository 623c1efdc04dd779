/**
 * What a run, an exploration or a comparison came to, for the reports.
 */
import { Interrupted, lackOf, EnvironmentError } from "../case/failure.ts";
import { leftEarly, maybeWorse } from "../comparison/difference.ts";
import type { Difference, VariantDifference } from "../comparison/difference.ts";
import { bySeverity, severityOf } from "../finding/severity.ts";
import { NO_SUBTEST, outcomeOf } from "../report/outcome.ts";
import type { Command, EarlyEnd, Finding, Outcome, Subtest } from "../report/outcome.ts";
import { allResults, unaccepted } from "../report/verdict.ts";
import { byVariant, metIn } from "../run/by-variant.ts";
import { WorkerLost } from "../run/conversation.ts";
import { lostDivergence } from "../run/crash-triage.ts";
import { casesOf, variantsOf } from "../run/perform.ts";
import type { Performed } from "../run/perform.ts";
import type { JobResult } from "../run/supervisor.ts";
import { mkfsOptions } from "../subjects/mkfs.ts";
import { variantNamed } from "../under-test/variants.ts";
import { lostText } from "./present.ts";
import type { Presented } from "./present.ts";

/** Characters of a reason that are kept. */
const MAX_REASON = 1000;

/** What a command was ended by. */
export function earlyEndOf(error: unknown): EarlyEnd {
  const lack = error instanceof EnvironmentError ? error : lackOf(error);
  const told = error instanceof Error ? error.message : String(error);
  const message = lack === undefined ? told : `${lack.message}. ${lack.remedy}`;
  return { by: causeOf(error, lack), message: message.slice(0, MAX_REASON) };
}

function causeOf(error: unknown, lack: EnvironmentError | undefined): EarlyEnd["by"] {
  if (error instanceof Interrupted) return "signal";
  if (error instanceof WorkerLost) return "kernel";
  return lack === undefined ? "error" : "machine";
}

/** For the reports. */
export function findingOf({ found, ...presented }: Presented): Finding {
  return { ...found, severity: severityOf(found.divergence), ...presented };
}

/** The finding that losing the kernel is. */
export function lostFinding(lost: WorkerLost, command: string): Finding {
  const { variant, case: number = -1 } = lost.where;
  const divergence = lostDivergence(lost, variant, []);
  const found = { variant, case: number, divergence, confirmed: false, named: [], met: 1 };
  return findingOf({ found, command, report: lostText(lost, command) });
}

/** Those of a variant, the worst first, and what was accepted behind them. */
function ofVariant(findings: readonly Finding[], variant: string): Finding[] {
  return findings
    .filter((finding) => finding.variant === variant)
    .toSorted(
      (a, b) =>
        Number(a.accepted !== undefined) - Number(b.accepted !== undefined) ||
        bySeverity(a.divergence, b.divergence),
    );
}

function countsOf({ counts, explored }: JobResult): Subtest["counts"] {
  if (explored === undefined) {
    const { cases, tries, operations, files } = counts;
    return { cases, ...(tries > 0 && { tries }), operations, files };
  }
  const { states, own: edges, driven, diverged, behind, unreached, operations } = explored;
  return { states, edges, driven, diverged, behind, unreached, operations };
}

/** What is known of a variant that was run. */
function ranOn(row: JobResult): Omit<Subtest, "status" | "findings"> {
  const { variant, mounted, seconds, counts } = row;
  const { path, options, promised } = mounted;
  return {
    name: variant,
    ...(path !== undefined && { path }),
    mkfsOptions: mkfsOptions(variantNamed(variant)).join(" "),
    ...(options !== "" && { mountOptions: options }),
    ...(promised !== undefined && { promised }),
    seconds,
    counts: countsOf(row),
    deviations: counts.deviations,
  };
}

const hasRun = ({ counts, explored }: JobResult): boolean =>
  counts.cases > 0 || explored !== undefined;

/** What became of a variant of which nothing was found. */
function statusOf(
  row: JobResult | undefined,
  { result, facts }: Performed,
  endedEarly: EarlyEnd | undefined,
): Pick<Subtest, "status" | "reason"> {
  const atIt = [...result.underWay.values()].some(({ variant }) => variant === row?.variant);
  const ended = endedEarly && `ended early: ${endedEarly.message}`;
  if (row === undefined || !hasRun(row)) {
    const first = facts?.options.first === true && unaccepted(result).length > 0;
    const otherwise = first ? "another variant diverged" : "the time was up before it";
    return { status: "not-run", reason: ended ?? otherwise };
  }
  if (atIt && ended !== undefined) return { status: "incomplete", reason: ended };
  const cut = facts !== undefined && casesOf(facts.options.work) !== undefined;
  const isCut = cut && (atIt || row.timeUp === true);
  return { status: "pass", ...(isCut && { reason: "the time was up before all of its cases" }) };
}

function kernelOf({ kernel, facts }: Performed): Outcome["kernel"] {
  if (facts === undefined) return undefined;
  const { release, machine } = facts.traits;
  return { release, machine, kind: kernel.kind, what: kernel.what };
}

/** What is the same of all that `perform` did. */
function common(command: Command, performed: Performed) {
  const { facts, seed, started } = performed;
  const kernel = kernelOf(performed);
  return {
    command,
    started,
    strict: facts?.options.strict ?? false,
    ...(seed !== undefined && { seed }),
    ...(kernel && { kernel }),
  };
}

/** What is called by no variant's name: a kernel that was lost before the first of them. */
const BEFORE_ALL = "kernel";

/**
 * What a run came to, also one that was ended.
 *
 * @param again the command that runs again what the kernel was lost in
 */
export function runOutcome(
  command: Command,
  performed: Performed,
  presented: readonly Presented[],
  again: (lost: WorkerLost) => string,
): Outcome {
  const { facts, failure, result } = performed;
  const endedEarly = failure === undefined ? undefined : earlyEndOf(failure);
  const lost = failure instanceof WorkerLost ? [lostFinding(failure, again(failure))] : [];
  const findings = [...lost, ...presented.map(findingOf)];
  const rows = new Map(byVariant(allResults(result)).map((row) => [row.variant, row]));
  const asked = facts === undefined ? [] : variantsOf(facts).map(({ name }) => name);
  const names = new Set([...asked, ...findings.map(({ variant }) => variant)]);
  const subtests = [...names].map((name): Subtest => {
    const row = rows.get(name);
    const known = row === undefined ? { ...NO_SUBTEST, name: name || BEFORE_ALL } : ranOn(row);
    const found = ofVariant(findings, name);
    if (found.every(({ accepted }) => accepted !== undefined))
      return { ...known, ...statusOf(row, performed, endedEarly), findings: found };
    const fails = found.some(
      (one) => one.accepted === undefined && (one.confirmed || lost.includes(one)),
    );
    return { ...known, status: fails ? "fail" : "not-reproduced", findings: found };
  });
  const met = metIn(allResults(result));
  return outcomeOf({
    ...common(command, performed),
    ...(endedEarly && { endedEarly }),
    subtests,
    ...(Object.keys(met).length > 0 && { met }),
  });
}

function comparedSubtest(
  one: VariantDifference,
  what: Difference,
  findings: readonly Finding[],
): Subtest {
  const { variant, candidate, compared, mapsChanged } = one;
  if (candidate === undefined || what.notCompared.includes(variant))
    return notComparedSubtest(variant);
  const known = ranOn(candidate);
  const found = ofVariant(findings, variant);
  return {
    ...known,
    ...comparedStatus(one, what, known.deviations, found),
    counts: { ...known.counts, compared, mapsChanged },
    findings: found,
  };
}

/** What became of a variant that both ran, as far as they did. */
function comparedStatus(
  one: VariantDifference,
  what: Difference,
  deviations: Subtest["deviations"],
  found: readonly Finding[],
): Pick<Subtest, "status" | "reason"> {
  const fresh = what.deviationsAppeared.filter((id) => id in deviations);
  const news = `known deviations that are new: ${fresh.join(", ")}`;
  if (fresh.length > 0) return { status: "fail", reason: news };
  if (found.length > 0) return { status: "fail" };
  const [open] = maybeWorse(what).filter(({ variant }) => variant === one.variant);
  if (open !== undefined) {
    const why = `the baseline was left early, and may do the same: ${open.message}`;
    return { status: "incomplete", reason: why.slice(0, MAX_REASON) };
  }
  const sides = leftEarly(one);
  const left = `left early, the rest of the cases was not run: ${sides.join(" and ")}`;
  return { status: "pass", ...(sides.length > 0 && { reason: left }) };
}

function notComparedSubtest(name: string): Subtest {
  return {
    ...NO_SUBTEST,
    name,
    findings: [],
    reason: "one of the two kernels cannot run it, or did not",
  };
}

/** What a comparison came to: of a variant, what only the candidate does wrong. */
export function comparisonOutcome(
  baseline: Performed,
  candidate: Performed,
  what: Difference,
  presented: readonly Presented[],
): Outcome {
  const findings = presented.map(findingOf);
  const compared = what.variants.map((one) => comparedSubtest(one, what, findings));
  const names = new Set(compared.map(({ name }) => name));
  const others = what.notCompared.filter((name) => !names.has(name)).map(notComparedSubtest);
  const kernel = kernelOf(baseline);
  return outcomeOf({
    ...common("compare", candidate),
    started: baseline.started,
    ...(kernel && { baseline: kernel }),
    subtests: [...compared, ...others],
  });
}
