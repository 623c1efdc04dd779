/**
 * Lockstep: the same operations on the model and on another subject, compared after every one of
 * them. Where the two agree, what was seen is held against the contract too: they could be wrong
 * together. Where the model cannot say what must be, the contract judges the rest of the case alone
 * (handover.ts).
 */
import type { Deviation } from "../../model/deviations/index.ts";
import type { ModelConfig } from "../../model/tables.ts";
import { Contract } from "../contract/contract.ts";
import type { Broken, ContractOptions } from "../contract/contract.ts";
import { treeBlocksMax } from "../contract/step/accounts.ts";
import { compare, compareData } from "./compare.ts";
import type { Difference } from "./compare.ts";
import { describeHandover } from "./handover.ts";
import type { Handover, HandoverReason } from "./handover.ts";
import { divergence } from "../finding/divergence.ts";
import type { Divergence, DivergenceParts } from "../finding/divergence.ts";
import type { Severity } from "../finding/severity.ts";
import type { ModelSubject } from "./model-subject.ts";
import { Oracle } from "./oracle.ts";
import type { Observation } from "../case/observation.ts";
import { effectsOf, failNthOf, fileOf, isWrite } from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";
import type { Subject } from "./subject.ts";

/**
 * Of a case whose page cache differs. A folio that is held once in 500 times is so four times on
 * end once in 6 * 10^10 times.
 */
export const REPEATS = 3;

export interface LockstepOptions {
  /** Name of the variant, for the divergence. */
  variant: string;
  /** Bytes. */
  blockSize: number;
  /**
   * Nothing counts but data that is lost or shown: for a case of which it is known that less is
   * wrong.
   */
  onlyData?: true;
  /**
   * What the file system promised, checked where model and subject agree; absent where only the
   * model counts.
   */
  contract?: Contract;
  /**
   * Those that the kernel is known to show: where one had a part in a case, the promises that it
   * breaks are excused.
   */
  deviations?: readonly Deviation[];
  /**
   * Called before the model applies an operation, with what was seen of its file last; undefined
   * where that was nothing yet.
   */
  onStep?: (operation: Operation, step: number, before: Observation | undefined) => void;
  /** Called with what the other subject showed after each operation, and the number of that. */
  onObservation?: (seen: Observation, step: number) => void;
  /** Called with what the model shows after each operation of which it says anything. */
  onExpected?: (expected: Observation, step: number) => void;
  /**
   * Times that a case is begun anew where nothing but the page cache differs; not at all where that
   * is absent. Who holds a folio for a moment keeps it from being split or dropped, and that may be
   * the I/O to it, which is done but for its last line: mm/filemap.c folio_end_writeback() puts its
   * reference after the waiters were woken. Measured (6.18.44, two busy CPUs): a hole punched into
   * half of a folio at once after sync_file_range(2) finds it held once in 500 times, 100 us later
   * never in 100,000.
   */
  repeats?: number;
  /**
   * Milliseconds after which the kernel may write back what a case has dirtied, without having been
   * asked (subjects/flusher.ts); for ever where that is absent.
   */
  quietMs?: number;
}

export interface CaseResult {
  /** Operations that were compared. */
  steps: number;
  divergence: Divergence | undefined;
  /** Blocks whose state the model had to be shown (model/ext4/zeroout.ts). */
  guesses: number;
  /** Times that the page cache was another one, and was not when the case was begun anew. */
  transient: number;
  /** Absent where the model was followed to the end, or there is none. */
  handedOver?: Handover | undefined;
}

/** What differs from what was promised, and which promise that was. */
interface BrokenPromise extends Difference {
  promise: { id: string; severity: Severity };
}

function brokenPromise(
  { promise: id, severity, claim, message }: Broken,
  handedOver: Handover | undefined,
): BrokenPromise {
  const alone = handedOver === undefined ? "" : ` (${describeHandover(handedOver)})`;
  const promise = { id, severity };
  return { kind: "contract", message: `${message}: ${id}. ${claim}${alone}`, promise };
}

/**
 * `options` for a model with these deviations, with the promises of its file system held against
 * what is seen.
 */
export function withContract(
  options: LockstepOptions,
  config: ModelConfig,
  deviations: readonly Deviation[],
  how: Pick<ContractOptions, "mayFillUp" | "filesEndEarly"> = {},
): LockstepOptions {
  return { ...options, contract: new Contract({ ...config, ...how }), deviations };
}

/**
 * What the contract says of the last step; undefined where all promises are kept, or are known to
 * be broken by a deviation that `hadPart` in the case.
 */
function judge(
  operation: Operation,
  step: number,
  seen: Observation,
  followers: readonly Operation[],
  hadPart: (deviation: Deviation) => boolean,
  { contract, deviations = [] }: LockstepOptions,
  handedOver?: Handover,
): BrokenPromise | undefined {
  const broken = contract?.check(operation, step, seen, followers);
  const first = broken?.find(
    ({ promise }) => !deviations.some((one) => one.breaks.includes(promise) && hadPart(one)),
  );
  return first && brokenPromise(first, handedOver);
}

const NONE: readonly Operation[] = [];
const NO_DEVIATIONS: readonly Deviation[] = [];

/**
 * What the subject performed besides the operation of the step. Most steps have nothing of the
 * kind, and allocate nothing.
 */
function followersOf({ performed }: Subject): readonly Operation[] {
  return performed === undefined || performed.length < 2 ? NONE : performed.slice(1);
}

/** Both subjects on one file each, step by step. */
export class Lockstep {
  readonly #model: ModelSubject;
  readonly #subject: Subject;
  readonly #options: LockstepOptions;
  readonly #oracle = new Oracle();
  #operations: readonly Operation[] = [];
  #step = 0;
  /** What was seen last of each of the case's files. */
  #seen: (Observation | undefined)[] = [];
  #pieces = 0;
  readonly #hadPart = (one: Deviation): boolean =>
    this.#model.hasDeviated(one.id) || this.#begun.has(one);
  /** Of the deviations, those that may have begun since the case was handed over. */
  readonly #begun = new Set<Deviation>();
  /** performance.now() when the case began. */
  #began = 0;
  /** Undefined as long as the model is followed. */
  handedOver: Handover | undefined;
  /** Blocks whose state the model had to be shown. */
  guesses = 0;
  /** Times that the page cache was another one, and was not when the case was begun anew. */
  transient = 0;

  constructor(model: ModelSubject, subject: Subject, options: LockstepOptions) {
    this.#model = model;
    this.#subject = subject;
    this.#options = options;
  }

  /**
   * A fresh file each, for these operations, which may grow as they are performed. The one before
   * is removed.
   */
  begin(operations: readonly Operation[]): void {
    this.#operations = operations;
    this.#step = 0;
    this.#seen = [];
    this.#pieces = 0;
    this.guesses = 0;
    this.handedOver = undefined;
    this.#begun.clear();
    this.#began = performance.now();
    this.#model.recordsDisk = this.#asksForDisk(operations);
    this.#oracle.begin();
    this.#subject.begin(operations);
    this.#model.begin(operations, this.#subject.freeBlocks);
    this.#options.contract?.begin();
  }

  /** Whether it shows what is on disk: after a power cut, and where zero_range brings it back. */
  #asksForDisk(operations: readonly Operation[]): boolean {
    const { deviations = NO_DEVIATIONS } = this.#options;
    const zeroing = deviations.some(({ takes }) => takes === "zero_range");
    return operations.some((one) => effectsOf(one).cutsPower || (zeroing && isZeroRange(one)));
  }

  /**
   * Perform the next operation on both; what differs, and does so again. `last`: the file is not
   * touched again.
   */
  step(operation: Operation, last: boolean): Divergence | undefined {
    const { repeats = 0 } = this.#options;
    const found = this.#perform(operation, last);
    if (found?.kind !== "pages") return found;
    const done = this.#operations.slice(0, this.#step);
    this.#subject.patient = true;
    try {
      for (let i = 0; i < repeats; i++) {
        const again = this.#again(done, last);
        if (again === undefined) this.transient += 1;
        if (again?.kind !== "pages") return again;
      }
    } finally {
      this.#subject.patient = false;
    }
    return found;
  }

  /** Perform all that was done on fresh files; what differs first. */
  #again(done: readonly Operation[], last: boolean): Divergence | undefined {
    this.begin(this.#operations);
    for (const [i, operation] of done.entries()) {
      const found = this.#perform(operation, last && i === done.length - 1);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #perform(operation: Operation, last: boolean): Divergence | undefined {
    const [model, subject, step] = [this.#model, this.#subject, this.#step++];
    const { blockSize, onStep, onObservation, onExpected } = this.#options;
    model.turnTo(operation);
    const file = fileOf(operation);
    if (this.handedOver === undefined) onStep?.(operation, step, this.#seen[file]);
    const seen = (this.#seen[file] = subject.step(operation, step, last));
    onObservation?.(seen, step);
    const followers = followersOf(subject);
    if (this.handedOver !== undefined) return this.#judgeAlone(operation, seen, followers);
    model.apply(operation, step, this.#oracle.tell(operation, seen, followers));
    const reason = this.#whyHandOver();
    if (reason !== undefined) {
      this.#handOver({ step, reason });
      return this.#judgeAlone(operation, seen, followers);
    }
    if (model.wroteBack) this.#options.contract?.mayHaveWrittenBack();
    this.guesses += model.guesses;
    const expected = model.observe(seen.windows);
    onExpected?.(expected, step);
    this.#pieces = Math.max(this.#pieces, seen.pieces);
    const treeMax = treeBlocksMax(this.#pieces, blockSize);
    const { onlyData } = this.#options;
    const difference = onlyData
      ? compareData(expected, seen, blockSize)
      : compare(expected, seen, { blockSize }, treeMax);
    // A broken promise is more than a page that is dirty.
    const judged = !onlyData && (difference === undefined || difference.kind === "pages");
    const broken = judged
      ? judge(operation, step, seen, followers, this.#hadPart, this.#options)
      : undefined;
    if (broken !== undefined) return this.#divergence({ step, seen, ...broken });
    return difference && this.#divergence({ step, expected, seen, ...difference });
  }

  #divergence(found: Omit<DivergenceParts, "variant" | "operations">): Divergence {
    const { variant } = this.#options;
    return divergence({ variant, operations: [...this.#operations], ...found });
  }

  /** Why the model cannot say what had to come of the last operation; undefined where it can. */
  #whyHandOver(): HandoverReason | undefined {
    if (this.#model.isBeyond) return "space";
    const { quietMs = Infinity } = this.#options;
    return performance.now() - this.#began > quietMs ? "time" : undefined;
  }

  #handOver(handover: Handover): void {
    this.handedOver = handover;
    const { contract } = this.#options;
    if (handover.reason === "space") contract?.mayFillUp();
    else contract?.mayWriteBack();
  }

  /** What the contract says of an operation of which the model says nothing. */
  #judgeAlone(
    operation: Operation,
    seen: Observation,
    followers: readonly Operation[],
  ): Divergence | undefined {
    const { deviations = [] } = this.#options;
    const step = this.#step - 1;
    for (const one of deviations) if (mayBegin(one, operation, seen.result)) this.#begun.add(one);
    const [options, hadPart] = [this.#options, this.#hadPart];
    const broken = judge(operation, step, seen, followers, hadPart, options, this.handedOver);
    return broken && this.#divergence({ step, seen, ...broken });
  }
}

function resultOf(
  { guesses, transient, handedOver }: Lockstep,
  steps: number,
  found: Divergence | undefined,
): CaseResult {
  return { steps, divergence: found, guesses, transient, handedOver };
}

/**
 * Run one case on both, from a fresh file each, and stop at the first divergence. The file is left
 * as it is, so that a caller can keep it for a checkpoint; the next `begin` removes it.
 */
export function runCase(
  model: ModelSubject,
  subject: Subject,
  operations: readonly Operation[],
  options: LockstepOptions,
): CaseResult {
  const lockstep = new Lockstep(model, subject, options);
  lockstep.begin(operations);
  const last = operations.length - 1;
  for (let step = 0; step <= last; step++) {
    const found = lockstep.step(operations[step]!, step === last);
    if (found === undefined) continue;
    return resultOf(lockstep, step + 1, found);
  }
  return resultOf(lockstep, operations.length, undefined);
}

/**
 * Whether not all of what the operation writes from can be read, or there may be no memory for it.
 */
function mayEndShort(operation: Operation): boolean {
  if (failNthOf(operation) !== undefined) return true;
  return effectsOf(operation).mayEndShort?.(operation) === true;
}

const isZeroRange = (operation: Operation): boolean =>
  effectsOf(operation).zeroes?.(operation) === true;

/**
 * Whether the deviation may begin with an operation that returned `result`. With any write where it
 * does not say what it takes: one that finds no space is undone and tried again within the call,
 * and may still return all that was asked for
 * (model/deviations/short-write-frees-preallocation.ts).
 */
function mayBegin({ takes }: Deviation, operation: Operation, result: number): boolean {
  if (takes === "zero_range") return isZeroRange(operation);
  if (takes === "failed zero_range") return isZeroRange(operation) && result < 0;
  if (takes === "short copy") return mayEndShort(operation);
  return isWrite(operation) || isZeroRange(operation);
}

/**
 * As `runCase`, without a model: only the contract judges. Nobody says whether a deviation of this
 * kernel had a part, so what it is known to break is excused in a case from the first operation on
 * with which it may have begun.
 */
export function runPromised(
  subject: Subject,
  operations: readonly Operation[],
  options: LockstepOptions,
): CaseResult {
  const { variant, onObservation, contract, deviations = [] } = options;
  subject.begin(operations);
  contract?.begin();
  const last = operations.length - 1;
  const begun = new Set<Deviation>();
  const hadPart = (deviation: Deviation): boolean => begun.has(deviation);
  for (const [step, operation] of operations.entries()) {
    const seen = subject.step(operation, step, step === last);
    onObservation?.(seen, step);
    for (const one of deviations) if (mayBegin(one, operation, seen.result)) begun.add(one);
    const broken = judge(operation, step, seen, followersOf(subject), hadPart, options);
    if (broken === undefined) continue;
    const parts = { variant, step, operations: [...operations], seen, ...broken };
    return { steps: step + 1, divergence: divergence(parts), guesses: 0, transient: 0 };
  }
  return { steps: operations.length, divergence: undefined, guesses: 0, transient: 0 };
}
