/**
 * Checking a trace: the model over every recorded step, with as few of the known deviations as it
 * takes.
 */
import { ModelBroken } from "../../model/include/assert.ts";
import { pathDeviations, stepDeviations } from "../../model/deviations/index.ts";
import type { Deviation } from "../../model/deviations/index.ts";
import type { ModelConfig } from "../../model/tables.ts";
import type { Divergence } from "../finding/divergence.ts";
import { UsageError } from "../case/failure.ts";
import { subsets } from "../lockstep/deviations.ts";
import type { ContractOptions } from "../contract/contract.ts";
import { runPromised, withContract } from "../lockstep/lockstep.ts";
import type { CaseResult } from "../lockstep/lockstep.ts";
import { ReplaySubject } from "../lockstep/replay-subject.ts";
import { fileError, lineError } from "../stored/shown.ts";
import type { TraceHeader } from "./format.ts";
import type { TraceLimits } from "./limits.ts";
import { TraceModel } from "./followed.ts";
import { readTrace } from "./read.ts";
import type { Trace, TraceCase } from "./read.ts";

/**
 * Which deviations the model may follow: none, those that turn out to be needed, or exactly these.
 */
export type Allowed = "none" | "needed" | readonly Deviation[];

export interface CheckOptions {
  allowed: Allowed;
  /** Number of the only case to be checked; undefined for all. */
  only: number | undefined;
  limits: TraceLimits;
  /** Called after each case. */
  onCase?: (done: Counts) => void;
}

export interface Counts {
  cases: number;
  /**
   * Steps in these cases, and those of them that were compared: a case ends with its first
   * divergence.
   */
  steps: number;
  compared: number;
}

/** What checking a file came to. */
export interface FileResult extends Counts, Omit<Trace, "cases"> {
  file: string;
  /** The set that all of these cases were checked with. */
  deviations: readonly Deviation[];
  /** Cases in which a deviation had a part, by its id. */
  parts: ReadonlyMap<string, number>;
  /** Cases that diverge. */
  diverging: number;
  /** The first of them. */
  first?: { number: number; line: number; divergence: Divergence };
  /** Cases of which the contract alone judged the end. */
  handedOver: number;
  /** Seconds, of the last time through the file. */
  seconds: number;
}

/** What of the contract's leeway a recording says; version 3 alone does. */
export const leewayOf = (
  header: TraceHeader,
): Pick<ContractOptions, "mayFillUp" | "filesEndEarly"> =>
  header.version === 3 ? header.leeway : {};

/** What a case came to, and the deviations that had a part in it, by id. */
type Followed = CaseResult & { deviated: Iterable<string> };

/** Runs cases of a recording with one set of deviations, each up to its first divergence. */
function followerOf(
  { config, header }: Trace,
  deviations: readonly Deviation[],
): (recorded: TraceCase) => Followed {
  const named = { variant: nameOf(header), blockSize: config.blockSize };
  // With the contract: model and recording could be wrong together.
  const options = withContract(named, config, deviations, leewayOf(header));
  if (header.version === 3 && header.promised !== undefined) {
    return ({ operations, observations }) => {
      const subject = new ReplaySubject(observations);
      return { ...runPromised(subject, operations, options), deviated: [] };
    };
  }
  const model = new TraceModel(config, deviations);
  return (recorded) => ({ ...model.run(recorded, options), deviated: model.deviated });
}

/**
 * Deviations that one case is taken to show at once besides those that are taken already: each set
 * of them is tried.
 */
const MOST_AT_ONCE = 3;

/**
 * Cases without an explanation after which no other is looked for one: it takes two to the power of
 * the candidates runs each time, and by then more deviations are not what is missing.
 */
const MAX_UNEXPLAINED = 100;

/**
 * The smallest set with all of `taken` and more, with which the model follows the case; undefined
 * where there is none.
 */
function superset(
  recorded: TraceCase,
  taken: readonly Deviation[],
  trace: Trace,
): Deviation[] | undefined {
  const { path } = trace.config;
  const shown = trace.header.version === 3 ? pathDeviations(path) : stepDeviations(path);
  const others = shown.filter((deviation) => !taken.includes(deviation));
  const [, ...larger] = subsets(others, MOST_AT_ONCE);
  const supersets = larger.map((set) => [...taken, ...set]);
  return supersets.find((set) => followerOf(trace, set)(recorded).divergence === undefined);
}

/** What `act` does with a case; of what goes wrong is said in which file and case it did. */
function blaming<T>(file: string, recorded: TraceCase, act: (recorded: TraceCase) => T): T {
  const { line, number } = recorded;
  try {
    return act(recorded);
  } catch (error) {
    if (error instanceof UsageError) throw lineError(file, line, error.message);
    if (!(error instanceof ModelBroken)) throw error;
    throw new ModelBroken(`${error.message}, in case ${number} of ${file}`);
  }
}

/**
 * The result of going once through a file; where a case would have agreed with more deviations,
 * those instead.
 */
async function passThrough(
  file: string,
  { allowed, only, limits, onCase }: CheckOptions,
  deviations: readonly Deviation[],
): Promise<FileResult | Deviation[]> {
  const started = performance.now();
  const trace = await readTrace(file, limits);
  const { cases, ...about } = trace;
  mustBeOnPath(file, deviations, trace.config);
  const follow = followerOf(trace, deviations);
  const parts = new Map(deviations.map(({ id }) => [id, 0]));
  const none = { cases: 0, steps: 0, compared: 0, diverging: 0, handedOver: 0, seconds: 0 };
  const result: FileResult = { file, ...about, deviations, parts, ...none };
  let first: number | undefined;
  let last: number | undefined;
  for await (const recorded of cases) {
    const { number, line, operations } = recorded;
    first ??= number;
    last = number;
    if (only !== undefined && number !== only) continue;
    const { steps, divergence, handedOver, deviated } = blaming(file, recorded, follow);
    result.cases += 1;
    result.steps += operations.length;
    result.compared += steps;
    if (handedOver !== undefined) result.handedOver += 1;
    for (const id of deviated) parts.set(id, (parts.get(id) ?? 0) + 1);
    if (divergence !== undefined) {
      const explain = allowed === "needed" && result.diverging < MAX_UNEXPLAINED;
      const more = explain && blaming(file, recorded, (one) => superset(one, deviations, trace));
      if (more) return more;
      result.diverging += 1;
      result.first ??= { number, line, divergence };
    }
    onCase?.(result);
  }
  mustHaveCompared(
    result,
    only,
    first === undefined ? "no case at all" : `cases ${first} to ${last}`,
  );
  result.seconds = (performance.now() - started) / 1000;
  return result;
}

/** A deviation of the other path would change nothing, and excuse much. */
function mustBeOnPath(file: string, deviations: readonly Deviation[], { path }: ModelConfig): void {
  const other = deviations.find((one) => one.path !== undefined && one.path !== path);
  if (other === undefined) return;
  throw fileError(file, `was recorded on the ${path} path, and ${other.id} is of the other`);
}

/** A file that gave nothing to compare is no file that agrees. */
function mustHaveCompared(
  { file, cases, steps }: FileResult,
  only: number | undefined,
  there: string,
): void {
  if (only !== undefined && cases === 0) throw fileError(file, `has no case ${only}, but ${there}`);
  if (cases === 0) throw fileError(file, "nothing was compared: it has no cases");
  if (steps === 0) throw fileError(file, "nothing was compared: its cases have no steps");
}

/** What a report calls the file system of a trace. */
export function nameOf(header: TraceHeader): string {
  return header.version === 1 ? `${header.mount}, ${header.blockSize}` : header.variant.name;
}

/**
 * Check one file. Where deviations may be taken as they are needed, the smallest set that the first
 * diverging case needs is taken, and the file is begun again, so that in the end every case was
 * checked with one and the same set.
 *
 * @throws UsageError, of one line, where the file cannot be read, or holds nothing to compare
 */
export async function checkFile(file: string, options: CheckOptions): Promise<FileResult> {
  let deviations = typeof options.allowed === "string" ? [] : options.allowed;
  for (;;) {
    const result = await passThrough(file, options, deviations);
    if (!Array.isArray(result)) return result;
    deviations = result;
  }
}
