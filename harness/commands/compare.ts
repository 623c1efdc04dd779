/**
 * `ext4-conform compare`: the same cases on two kernels, and what changed from the one to the
 * other.
 */
import type { Divergence } from "../finding/divergence.ts";
import { exitStatus } from "../host/exit-status.ts";
import type { ExitStatus } from "../host/exit-status.ts";
import { colourWanted, say } from "../text/say.ts";
import { mustBeWritable } from "../stored/output.ts";
import { packageVersion } from "../host/package.ts";
import { divergedVariants, verdict } from "../report/verdict.ts";
import { Interrupted } from "../case/failure.ts";
import type { SupervisorResult } from "../run/supervisor.ts";
import { WorkerLost } from "../run/conversation.ts";
import { perform, variantsOf } from "../run/perform.ts";
import type { Facts, PerformOptions, Performed } from "../run/perform.ts";
import type { Generate } from "../workers/messages.ts";
import { presentFound, presentLost, runAgain } from "./present.ts";
import type { Presented } from "./present.ts";
import type { Tell } from "./reports.ts";
import { comparisonOutcome, runOutcome } from "./run-outcome.ts";
import { difference, isWorse, maybeWorse } from "../comparison/difference.ts";
import { comparisonText } from "../comparison/table.ts";

export interface CompareOptions extends Omit<PerformOptions, "kernel" | "work"> {
  /** The cases that both run. */
  work: Generate & { cases: number };
  /** "host", or the file of a kernel that runs in a guest. */
  baseline: string;
  candidate: string;
  /** Folder for counterexamples. */
  save: string;
  /** Hears what it came to. */
  tell?: Tell | undefined;
}

function headOf(role: string, { kernel, traits }: Facts): string {
  const where = kernel.guest ? `${kernel.kind}, ${kernel.what}` : kernel.kind;
  return `${role.padEnd(10)} ${traits.release} (${where})\n`;
}

/**
 * Run one of the two, as far as a signal lets it. Undefined where it did not come to its end, which
 * was said then.
 */
async function runOn(
  role: "baseline" | "candidate",
  options: CompareOptions,
): Promise<Performed | undefined> {
  const asked = { ...options, shapes: true, kernel: options[role] };
  const performed = await perform(asked, (facts) => say(headOf(role, facts)));
  const { failure } = performed;
  if (failure === undefined) return performed;
  const again = (lost: WorkerLost): string => runAgain(lost, performed, options);
  options.tell?.(runOutcome("compare", performed, [], again));
  if (failure instanceof Interrupted) return performed;
  if (!(failure instanceof WorkerLost)) throw failure;
  presentLost(failure, again(failure));
  return undefined;
}

/** The reports of what the candidate alone does wrong. */
function presentNew(
  { facts, result }: Performed,
  appeared: readonly Divergence[],
  save: string,
): readonly Presented[] {
  if (facts === undefined) return [];
  const found = result.found.filter(({ divergence }) => appeared.includes(divergence));
  return presentFound({ ...result, found }, facts, save);
}

/** What was run when a signal came: the variants that jobs were at then were left early. */
function asLeft(result: SupervisorResult): SupervisorResult {
  const left = [...result.underWay.values()].map((one) => ({ ...one, timeUp: true }) as const);
  return { ...result, results: [...result.results, ...left], underWay: new Map() };
}

/** What the candidate offers and did not run, for the baseline does not offer it. */
function leftOutOf({ facts, result }: Performed): string[] {
  if (facts?.options.withoutIomap !== true) return [];
  const offered = variantsOf({ ...facts, options: { ...facts.options, withoutIomap: false } });
  const ran = new Set(result.results.map(({ variant }) => variant));
  return offered.map(({ name }) => name).filter((name) => !ran.has(name));
}

/**
 * Compare, print the table; 1 where the candidate does something wrong that the baseline does not,
 * or of which that is not known.
 */
export async function compare(options: CompareOptions): Promise<ExitStatus> {
  mustBeWritable(options.save);
  const { seed, cases: count } = options.work;
  const cases = `${count} cases for each variant`;
  say(`ext4-conform ${packageVersion()}   compare   seed ${seed}   ${cases}\n`);
  const baseline = await runOn("baseline", options);
  if (baseline === undefined) return exitStatus.diverges;
  if (baseline.failure instanceof Interrupted) {
    const endedEarly = `${baseline.failure.message}, before the candidate was run`;
    say(`\n${verdict(baseline.result, colourWanted(), { cases: count, endedEarly })}`);
    throw baseline.failure;
  }
  const withoutIomap = baseline.facts?.traits.bufferedIomap === false;
  const candidate = await runOn("candidate", { ...options, withoutIomap });
  if (candidate === undefined) return exitStatus.diverges;
  say("\n");
  const interrupted = candidate.failure instanceof Interrupted ? candidate.failure : undefined;
  const result = interrupted === undefined ? candidate.result : asLeft(candidate.result);
  const what = difference(baseline.result, result, leftOutOf({ ...candidate, result }));
  const presented = presentNew(candidate, what.appeared, options.save);
  if (interrupted === undefined) {
    options.tell?.(comparisonOutcome(baseline, candidate, what, presented));
  }
  const diverged = {
    baseline: divergedVariants(baseline.result),
    candidate: divergedVariants(candidate.result),
  };
  say(comparisonText(what, diverged, colourWanted(), interrupted?.message));
  if (interrupted !== undefined) throw interrupted;
  const isDoubtful = isWorse(what) || maybeWorse(what).length > 0;
  return isDoubtful ? exitStatus.diverges : exitStatus.conforms;
}
