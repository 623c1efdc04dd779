/**
 * What a recording shows of the contract: how many cases break each promise, and the shortest
 * sequence that does.
 *
 * Nothing can be run again, so nothing can be tried out. But the contract looks only at what is
 * visible. Where the file looked the same after two operations, with the same bytes in it, what
 * lies between them was a detour and is left out; and a file that looks like a fresh one is the
 * beginning of a case. What is left is fed to the contract once more, and counts only if it breaks
 * the same promise at its end. It is a claim about the kernel all the same: page cache and
 * placement are not recorded. A replay decides.
 */
import type { Observation } from "../case/observation.ts";
import type { Operation } from "../operations/operation.ts";
import { Contents } from "./step/contents.ts";
import { Contract } from "./contract.ts";
import type { Broken } from "./contract.ts";
import { FRESH_FILE } from "./step/step.ts";
import type { ContractOptions } from "./step/step.ts";

/** One case of a recording: what was done, and what was seen right after each operation. */
export interface RecordedCase {
  number: number;
  operations: readonly Operation[];
  observations: readonly Observation[];
}

/** A sequence of operations that ends with the one that breaks a promise. */
export interface BreakingSequence {
  /** Number of the case in the recording. */
  case: number;
  /** Where the operations are in that case. */
  steps: number[];
  operations: Operation[];
  /** What was broken after the last of them; its step is the one in the recorded case. */
  broken: Broken;
}

/** What a recording shows of one promise. */
export interface Finding {
  promise: string;
  claim: string;
  /** Cases that break it. */
  cases: number;
  /** As recorded: the case that breaks it after the fewest operations, up to there. */
  prefix: BreakingSequence;
  /** With the detours left out, of any case: at most as long. */
  shortest: BreakingSequence;
}

/** The first break of each promise in a case, in the order in which they show. */
export function checkCase(
  contract: Contract,
  { operations, observations }: Omit<RecordedCase, "number">,
): Broken[] {
  const first = new Map<string, Broken>();
  contract.begin();
  for (let i = 0; i < operations.length; i++) {
    for (const broken of contract.check(operations[i]!, i, observations[i]!)) {
      if (!first.has(broken.promise)) first.set(broken.promise, broken);
    }
  }
  return [...first.values()];
}

/** All that is visible of a file, as text that is equal for equal files. */
function keyOf({ i_size, st_blocks, map, reserved }: Observation, contents: Contents): string {
  return JSON.stringify([i_size, st_blocks, reserved, map, contents.fingerprint()]);
}

const FRESH = keyOf(FRESH_FILE, new Contents());

/** What the file looked like before each of the operations up to `last`. */
function keysBefore({ operations, observations }: RecordedCase, last: number): string[] {
  const contents = new Contents();
  const keys = [FRESH];
  for (let i = 0; i < last; i++) {
    contents.apply(operations[i]!, i, observations[i]!);
    keys.push(keyOf(observations[i]!, contents));
  }
  return keys;
}

/**
 * The fewest operations that lead from a fresh file to what it looked like before operation `last`,
 * and that one.
 */
function withoutDetours(recorded: RecordedCase, last: number): number[] {
  const keys = keysBefore(recorded, last);
  // An operation leads on from wherever the file looked as it did before it: the shortest way,
  // found breadth first.
  const waysTo = new Map<string, number[]>([[FRESH, []]]);
  const queue = [FRESH];
  for (const key of queue) {
    const way = waysTo.get(key)!;
    for (let i = 0; i < last; i++) {
      const next = keys[i + 1]!;
      if (keys[i] !== key || waysTo.has(next)) continue;
      waysTo.set(next, [...way, i]);
      queue.push(next);
    }
  }
  return [...waysTo.get(keys[last]!)!, last];
}

function sequenceOf(
  { number, operations }: RecordedCase,
  steps: number[],
  broken: Broken,
): BreakingSequence {
  return { case: number, steps, operations: steps.map((i) => operations[i]!), broken };
}

/**
 * Whether the operations at `steps` alone, with what was seen after each, break the same promise at
 * their end.
 */
function stillBreaks(
  contract: Contract,
  { operations, observations }: RecordedCase,
  steps: readonly number[],
  promise: string,
): boolean {
  let last: readonly Broken[] = [];
  contract.begin();
  for (const i of steps) last = contract.check(operations[i]!, i, observations[i]!);
  return last.some((broken) => broken.promise === promise);
}

const upTo = (last: number): number[] => Array.from({ length: last + 1 }, (_, i) => i);

/** Whether the sequence is the beginning of its case, with nothing left out. */
function isWhole({ steps, broken }: BreakingSequence): boolean {
  return steps.length === broken.step + 1;
}

function isShorter(a: BreakingSequence, b: BreakingSequence): boolean {
  if (a.steps.length !== b.steps.length) return a.steps.length < b.steps.length;
  return isWhole(a) && !isWhole(b);
}

/** Collects findings case by case, so that a recording may be larger than memory. */
export class Findings {
  readonly #contract: Contract;
  readonly #findings = new Map<string, Finding>();
  cases = 0;
  operations = 0;

  constructor(options: ContractOptions) {
    this.#contract = new Contract(options);
  }

  /** Check one case. Returns the first break of each promise in it. */
  add(recorded: RecordedCase): Broken[] {
    this.cases += 1;
    this.operations += recorded.operations.length;
    const all = checkCase(this.#contract, recorded);
    for (const broken of all) this.#add(recorded, broken);
    return all;
  }

  /** What was found, the promises that most cases break first. */
  get list(): Finding[] {
    return [...this.#findings.values()].toSorted((a, b) => b.cases - a.cases);
  }

  #add(recorded: RecordedCase, broken: Broken): void {
    const { promise, claim, step } = broken;
    const found = this.#findings.get(promise);
    if (found === undefined) {
      const prefix = sequenceOf(recorded, upTo(step), broken);
      const shortest = this.#reduced(recorded, broken);
      this.#findings.set(promise, { promise, claim, cases: 1, prefix, shortest });
      return;
    }
    found.cases += 1;
    if (step + 1 < found.prefix.steps.length) {
      found.prefix = sequenceOf(recorded, upTo(step), broken);
    }
    // Nothing is shorter than one operation, and nothing more certain than a case that was recorded
    // as it is.
    if (found.shortest.steps.length === 1 && isWhole(found.shortest)) return;
    const reduced = this.#reduced(recorded, broken);
    if (isShorter(reduced, found.shortest)) found.shortest = reduced;
  }

  #reduced(recorded: RecordedCase, broken: Broken): BreakingSequence {
    const { promise, step } = broken;
    const steps = withoutDetours(recorded, step);
    const holds = stillBreaks(this.#contract, recorded, steps, promise);
    return sequenceOf(recorded, holds ? steps : upTo(step), broken);
  }
}

/** Hold every case of a recording against the contract. */
export async function findShortest(
  cases: Iterable<RecordedCase> | AsyncIterable<RecordedCase>,
  options: ContractOptions,
): Promise<Findings> {
  const findings = new Findings(options);
  for await (const recorded of cases) findings.add(recorded);
  return findings;
}
