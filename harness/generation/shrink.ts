/**
 * Shrinking: from a case that fails to simpler ones that may fail too.
 *
 * fast-check tries the candidates of a value in turn and begins again with the first that fails. So
 * that it does not begin from the beginning, every candidate carries the `Place` in the order below
 * where the search goes on, and the candidates that were already seen not to fail. Without that
 * context (a counterexample read from a file) the search begins at the first place and ends at the
 * same minimum.
 *
 * Every candidate costs less than the value it came from (see cost.ts), and every one is a valid
 * case.
 */
import { MAX_IO_BYTES } from "../case/limits.ts";
import {
  canLackMemory,
  effectsOf,
  failNthOf,
  fileOf,
  hasTwoFiles,
  inFile,
  isInjected,
  isStarved,
  operationSchema,
  withoutFaults,
} from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";
import { cheaper, costOf } from "./cost.ts";
import { smaller } from "../aspects/generation.ts";
import { generationOf } from "../operations/generation.ts";
import { moveAll, moveOperation, moves, pointsOf } from "./points.ts";
import type { Space } from "../draw/space.ts";

/**
 * The stages, in order: fewer operations, simpler operations, moved points, then pairs that only go
 * together.
 */
type Place =
  | { stage: "remove"; size: number; at: number }
  | { stage: "simplify"; at: number }
  | { stage: "move" }
  | { stage: "pairs" };

/** What a candidate carries for when it becomes the value. */
export interface ShrinkContext {
  readonly place: Place;
  /** Digests of cases that need no second run. */
  readonly tried: ReadonlySet<number>;
}

interface Candidate {
  operations: Operation[];
  place: Place;
}

/** Pairs are tried in cases of up to this many operations: 16 of them make 120 pairs. */
const MAX_PAIRED = 16;

function without(operations: readonly Operation[], at: number, size: number): Operation[] {
  return operations.toSpliced(at, size);
}

/**
 * Remove runs of operations from the back to the front: what follows the failing step goes first.
 */
function* removals(
  operations: readonly Operation[],
  from: { size: number; at: number } | undefined,
): Generator<Candidate> {
  const n = operations.length;
  let size = Math.min(from?.size ?? n, n);
  let end = from === undefined ? n : Math.min(n, from.at);
  for (; size >= 1; size = Math.floor(size / 2), end = n) {
    for (; end > 0; end -= size) {
      const at = Math.max(0, end - size);
      const place: Place = { stage: "remove", size, at };
      yield { operations: without(operations, at, end - at), place };
    }
  }
}

/**
 * Do without an operation that shifts the file's blocks: what comes after it is shifted back, or
 * what comes before it is put where it would have been shifted to. An fsync may have to take its
 * place, since shifting writes back too.
 */
function* unshiftings(operations: readonly Operation[]): Generator<Candidate> {
  for (const [at, operation] of operations.entries()) {
    const by = -(effectsOf(operation).movesBy?.(operation) ?? 0);
    if (by === 0 || !("pos" in operation)) continue;
    const { pos } = operation;
    const back = (p: number): number => (p <= pos ? p : Math.max(pos, p + by));
    const ahead = (p: number): number => (p <= pos ? p : Math.max(pos, p - by));
    const [before, after] = [operations.slice(0, at), operations.slice(at + 1)];
    const place: Place = { stage: "remove", size: 1, at };
    const file = fileOf(operation);
    for (const instead of [[], [inFile({ op: "fsync" }, file)]]) {
      const shiftedBack = moveAll(after, back, file);
      const shiftedAhead = moveAll(before, ahead, file);
      if (shiftedBack !== undefined) {
        yield { operations: [...before, ...instead, ...shiftedBack], place };
      }
      if (shiftedAhead !== undefined) {
        yield { operations: [...shiftedAhead, ...instead, ...after], place };
      }
    }
  }
}

/** Two neighbours the other way round. */
function* swaps(operations: readonly Operation[]): Generator<Candidate> {
  for (let at = 0; at + 1 < operations.length; at++) {
    const [first, second] = [operations[at]!, operations[at + 1]!];
    const place: Place = { stage: "simplify", at };
    yield { operations: operations.with(at, second).with(at + 1, first), place };
  }
}

/** Operations of kinds that take less explaining, at the same points. */
function* plainer(operation: Operation): Generator<Operation> {
  yield { op: "fsync" };
  if (isStarved(operation)) yield { op: "fsync", starved: true };
  if (isInjected(operation)) yield withoutFaults(operation);
  const nth = failNthOf(operation);
  if (nth !== undefined && canLackMemory(operation)) {
    for (const fail_nth of smaller(nth, 1, 1)) yield { ...operation, fail_nth } as Operation;
  }
  const size = effectsOf(operation).cutsTo?.(operation) ?? 0;
  if (size > 0) {
    const len = Math.min(size, MAX_IO_BYTES);
    yield { op: "pwrite", pos: size - len, len, readable: len };
  }
  if (!("pos" in operation)) return;
  yield { op: "ftruncate", size: operation.pos };
  yield { op: "ftruncate", size: operation.pos + operation.len };
}

function* simplifications(
  operations: readonly Operation[],
  from: number,
  space: Space,
): Generator<Candidate> {
  for (let i = 0; i < operations.length; i++) {
    const at = (from + i) % operations.length;
    const operation = operations[at]!;
    const place: Place = { stage: "simplify", at };
    const file = fileOf(operation);
    if (file === 1) yield { operations: operations.with(at, inFile(operation, 0)), place };
    for (const other of plainer(operation)) {
      yield { operations: operations.with(at, inFile(other, file)), place };
    }
    for (const simpler of generationOf(operation).simpler(operation, space)) {
      yield { operations: operations.with(at, inFile(simpler as Operation, file)), place };
    }
  }
}

function* movements(operations: readonly Operation[], space: Space): Generator<Candidate> {
  const place: Place = { stage: "move" };
  for (const move of moves(pointsOf(operations), space.blockSize)) {
    const moved = moveAll(operations, move);
    if (moved !== undefined) {
      yield { operations: moved, place };
      continue;
    }
    // An operation that the move leaves nothing of may be one that nobody misses.
    const kept = operations.map((o) => moveOperation(o, move)).filter((o) => o !== undefined);
    yield { operations: kept, place };
  }
}

/** All of it in one file. */
function* inOneFile(operations: readonly Operation[]): Generator<Candidate> {
  if (!hasTwoFiles(operations)) return;
  yield { operations: operations.map((one) => inFile(one, 0)), place: { stage: "move" } };
}

/** Two writes, the second where the first ends: one does as well. */
function* merges(operations: readonly Operation[]): Generator<Candidate> {
  for (const [at, first] of operations.entries()) {
    const second = operations[at + 1];
    if (second === undefined || fileOf(first) !== fileOf(second)) continue;
    const one = generationOf(first).joinedWith?.(first, second);
    if (one === undefined) continue;
    const place: Place = { stage: "remove", size: 1, at };
    yield { operations: operations.toSpliced(at, 2, one), place };
  }
}

/** A write that was only there to have blocks allocated: say so in one operation. */
function* allocations(operations: readonly Operation[]): Generator<Candidate> {
  for (const [at, operation] of operations.entries()) {
    const allocation = generationOf(operation).allocation?.(operation);
    if (allocation === undefined) continue;
    const file = fileOf(operation);
    const syncs = (one: Operation): boolean =>
      generationOf(one).onlySyncs === true && fileOf(one) === file;
    const sync = operations.findIndex((one, i) => i > at && syncs(one));
    if (sync < 0) continue;
    const place: Place = { stage: "remove", size: 1, at };
    const allocated = inFile(allocation as Operation, file);
    yield { operations: operations.toSpliced(sync, 1).with(at, allocated), place };
  }
}

/**
 * Two operations that only go together: a pair that cancels out, or a long one whose pieces
 * suffice.
 */
function* pairs(operations: readonly Operation[]): Generator<Candidate> {
  if (operations.length > MAX_PAIRED) return;
  for (let a = 0; a < operations.length; a++) {
    for (let b = a + 2; b < operations.length; b++) {
      const place: Place = { stage: "remove", size: 1, at: operations.length - 2 };
      yield { operations: without(without(operations, b, 1), a, 1), place };
    }
  }
}

/** All candidates, beginning at `from`; those before it come last, so that nothing is left out. */
function* candidatesFrom(
  operations: readonly Operation[],
  from: Place | undefined,
  space: Space,
): Generator<Candidate> {
  const stage = from?.stage ?? "remove";
  if (stage === "remove") yield* removals(operations, from?.stage === "remove" ? from : undefined);
  if (stage === "remove" || stage === "simplify") {
    yield* inOneFile(operations);
    // All numbers at once, before one at a time: most cases do not fail because of odd numbers.
    yield* movements(operations, space);
    yield* simplifications(operations, from?.stage === "simplify" ? from.at : 0, space);
  }
  yield* movements(operations, space);
  yield* removals(operations, { size: 1, at: operations.length });
  yield* unshiftings(operations);
  yield* swaps(operations);
  yield* merges(operations);
  yield* allocations(operations);
  yield* pairs(operations);
  yield* removals(operations, undefined);
  yield* simplifications(operations, 0, space);
}

/** Two 26-bit hashes in one double; a collision would only cost one candidate. */
function digest(operations: readonly Operation[]): number {
  const text = JSON.stringify(operations);
  let a = 0x811c9dc5;
  let b = 0x9e3779b9;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 0x01000193);
    b = Math.imul(b + code, 0x85ebca6b) ^ (b >>> 15);
  }
  return (a >>> 6) * 2 ** 26 + (b >>> 6);
}

function changedAreValid(candidate: readonly Operation[], from: ReadonlySet<Operation>): boolean {
  return candidate.every((o) => from.has(o) || operationSchema.safeParse(o).success);
}

/** Simpler cases than `operations`, each once, the most promising first. */
export function* shrinkOperations(
  operations: readonly Operation[],
  context: ShrinkContext | undefined,
  space: Space,
): Generator<[Operation[], ShrinkContext]> {
  const tried = new Set(context?.tried);
  const known = new Set(operations);
  const cost = costOf(operations, space.blockSize);
  tried.add(digest(operations));
  for (const { operations: candidate, place } of candidatesFrom(
    operations,
    context?.place,
    space,
  )) {
    if (!cheaper(costOf(candidate, space.blockSize), cost)) continue;
    const key = digest(candidate);
    if (tried.has(key)) continue;
    tried.add(key);
    if (!changedAreValid(candidate, known)) continue;
    yield [candidate, { place, tried }];
  }
}
