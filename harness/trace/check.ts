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
import type { CaseResult, LockstepOptions } from "../lockstep/lockstep.ts";
import { ReplaySubject } from "../lockstep/replay-subject.ts";
import { fileError, lineError } from "../stored/shown.ts";
import type { TraceHeader } from "./format.ts";
import type { TraceLimits } from "./limits.ts";
import { TraceModel } from "./followed.ts";
import { readTrace } from "./read.ts";
import type { TraceCase } from "./read.ts";

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

/** A divergence, and the case that shows it. */
export interface DivergingCase {
  number: number;
  line: number;
  divergence: Divergence;
}

/** What checking a file came to. */
export interface FileResult extends Counts {
  file: string;
  header: TraceHeader;
  config: ModelConfig;
  /** What of the kernel had to be guessed; undefined where nothing had to be. */
  guessed: string | undefined;
  /** The set that all of these cases were checked with. */
  deviations: readonly Deviation[];
  /** Cases in which a deviation had a part, by its id. */
  parts: ReadonlyMap<string, number>;
  /** Cases that diverge. */
  diverging: number;
  first: DivergingCase | undefined;
  /** Cases of which the contract alone judged the end. */
  handedOver: number;
  /** Seconds, of the last time through the file. */
  seconds: number;
}

/** How the cases of a trace are to be run. */
interface Setting {
  config: ModelConfig;
  options: LockstepOptions;
  header: TraceHeader;
}

/** What of the contract's leeway a recording says; version 3 alone does. */
export const leewayOf = (
  header: TraceHeader,
): Pick<ContractOptions, "mayFillUp" | "filesEndEarly"> =>
  header.version === 3 ? header.leeway : {};

/** The deviations that a recording of this version can show. */
function shownIn(header: TraceHeader, { path }: ModelConfig): readonly Deviation[] {
  return header.version === 3 ? pathDeviations(path) : stepDeviations(path);
}

/**
 * Deviations that one case is taken to show at once besides those that are taken already: each set
 * of them is tried.
 */
const MOST_AT_ONCE = 3;

/** Runs the cases of a recording with one set of deviations. */
class Follower {
  readonly #model: TraceModel | undefined;
  /** With the contract: model and recording could be wrong together. */
  readonly #options: LockstepOptions;

  constructor({ config, options, header }: Setting, deviations: readonly Deviation[]) {
    const promised = header.version === 3 && header.promised !== undefined;
    this.#model = promised ? undefined : new TraceModel(config, deviations);
    this.#options = withContract(options, config, deviations, leewayOf(header));
  }

  /** Run a case and stop at its first divergence. */
  run(recorded: TraceCase): CaseResult {
    if (this.#model !== undefined) return this.#model.run(recorded, this.#options);
    const { operations, observations } = recorded;
    return runPromised(new ReplaySubject(observations), operations, this.#options);
  }

  /** Ids of the deviations that had a part in the last case. */
  get deviated(): Iterable<string> {
    return this.#model?.deviated ?? [];
  }
}

/**
 * The smallest set with all of `taken` and more, with which the model follows the case; undefined
 * where there is none.
 */
function smallestSuperset(
  recorded: TraceCase,
  taken: readonly Deviation[],
  setting: Setting,
): Deviation[] | undefined {
  const { header, config } = setting;
  const others = shownIn(header, config).filter((deviation) => !taken.includes(deviation));
  const [, ...larger] = subsets(others, MOST_AT_ONCE);
  const supersets = larger.map((set) => [...taken, ...set]);
  return supersets.find((set) => new Follower(setting, set).run(recorded).divergence === undefined);
}

/**
 * Cases without an explanation after which no other is looked for one: it takes two to the power of
 * the candidates runs each time, and by then more deviations are not what is missing.
 */
const MAX_UNEXPLAINED = 100;

/** Once through a file with one set of deviations. */
class Pass {
  readonly counts: Counts = { cases: 0, steps: 0, compared: 0 };
  readonly parts: Map<string, number>;
  diverging = 0;
  first: DivergingCase | undefined;
  /** With these deviations the case that was run last would have agreed. */
  more: Deviation[] | undefined;
  handedOver = 0;
  readonly #follower: Follower;
  readonly #setting: Setting;
  readonly #deviations: readonly Deviation[];
  readonly #mayTakeMore: boolean;

  constructor(setting: Setting, deviations: readonly Deviation[], mayTakeMore: boolean) {
    this.#follower = new Follower(setting, deviations);
    this.#setting = setting;
    this.#deviations = deviations;
    this.#mayTakeMore = mayTakeMore;
    this.parts = new Map(deviations.map(({ id }) => [id, 0]));
  }

  /** Run a case. Ends the pass where `more` is set afterwards. */
  run(recorded: TraceCase): void {
    const { steps, divergence, handedOver } = this.#follower.run(recorded);
    const { counts } = this;
    counts.cases += 1;
    counts.steps += recorded.operations.length;
    counts.compared += steps;
    if (handedOver !== undefined) this.handedOver += 1;
    for (const id of this.#follower.deviated) this.parts.set(id, (this.parts.get(id) ?? 0) + 1);
    if (divergence === undefined) return;
    if (this.#mayTakeMore && this.diverging < MAX_UNEXPLAINED) {
      this.more = smallestSuperset(recorded, this.#deviations, this.#setting);
      if (this.more !== undefined) return;
    }
    this.diverging += 1;
    const { number, line } = recorded;
    this.first ??= { number, line, divergence };
  }
}

/** Run the case, and say of what goes wrong in which file and case it did. */
function runIn(file: string, pass: Pass, recorded: TraceCase): void {
  try {
    pass.run(recorded);
  } catch (error) {
    if (error instanceof UsageError) throw lineError(file, recorded.line, error.message);
    if (!(error instanceof ModelBroken)) throw error;
    throw new ModelBroken(`${error.message}, in case ${recorded.number} of ${file}`);
  }
}

/** The result of a pass; where a case would have agreed with more deviations, those instead. */
async function passThrough(
  file: string,
  { allowed, only, limits, onCase }: CheckOptions,
  deviations: readonly Deviation[],
): Promise<FileResult | Deviation[]> {
  const started = performance.now();
  const { header, config, cases, guessed } = await readTrace(file, limits);
  mustBeOnPath(file, deviations, config);
  const { blockSize } = config;
  const setting = { config, header, options: { variant: nameOf(header), blockSize } };
  const pass = new Pass(setting, deviations, allowed === "needed");
  const numbers: number[] = [];
  for await (const recorded of cases) {
    if (numbers.length < 2) numbers.push(recorded.number);
    else numbers[1] = recorded.number;
    if (only !== undefined && recorded.number !== only) continue;
    runIn(file, pass, recorded);
    if (pass.more !== undefined) return pass.more;
    onCase?.(pass.counts);
  }
  const { counts, parts, diverging, first, handedOver } = pass;
  mustHaveCompared(file, counts, only, numbers);
  const seconds = (performance.now() - started) / 1000;
  const found = { deviations, parts, diverging, first, handedOver };
  return { file, header, config, guessed, ...counts, ...found, seconds };
}

/** A deviation of the other path would change nothing, and excuse much. */
function mustBeOnPath(file: string, deviations: readonly Deviation[], { path }: ModelConfig): void {
  const other = deviations.find((one) => one.path !== undefined && one.path !== path);
  if (other === undefined) return;
  throw fileError(file, `was recorded on the ${path} path, and ${other.id} is of the other`);
}

/** A file that gave nothing to compare is no file that agrees. */
function mustHaveCompared(
  file: string,
  { cases, steps }: Counts,
  only: number | undefined,
  numbers: readonly number[],
): void {
  if (only !== undefined && cases === 0) {
    const range =
      numbers.length === 0 ? "no case at all" : `cases ${numbers[0]} to ${numbers.at(-1)}`;
    throw fileError(file, `has no case ${only}, but ${range}`);
  }
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
