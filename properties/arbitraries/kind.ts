/**
 * Kind: what generation and shrinking know about one kind of operation.
 */
import type { Operation, OperationName } from "../../harness/operations/operation.ts";
import type { Draw } from "./draw.ts";
import type { Space } from "./space.ts";

export type OperationOf<N extends OperationName> = Extract<Operation, { op: N }>;

export interface Kind<O extends Operation> {
  generate(draw: Draw): O;
  /**
   * How much a reader has to know to follow it: fsync is 1. Shrinking never replaces an operation
   * by a harder one.
   */
  rank(operation: O): number;
  /**
   * Operations to try in its place, the most promising first. They need not be simpler (the
   * shrinker drops those that are not) nor distinct, and at most a few dozen.
   */
  simpler(operation: O, space: Space): Iterable<Operation>;
}

/**
 * Rounder and smaller numbers to try instead of `n`, in units of `unit` where that is possible: the
 * least first, then what is nearest on either side, then a binary descent.
 *
 * @param n bytes, at least `min`
 * @param min the smallest that is valid, bytes
 */
export function* smaller(n: number, min: number, unit: number): Generator<number> {
  const least = min === 0 ? 0 : Math.ceil(min / unit) * unit;
  yield least;
  yield least + unit;
  if (n % unit !== 0) {
    const below = Math.floor(n / unit) * unit;
    if (below >= least) yield below;
    yield below + unit;
    if (unit > 512) {
      if (min <= 512) yield 512;
      const sector = Math.floor(n / 512) * 512;
      if (sector >= min && sector > 0) yield sector;
      yield sector + 512;
    }
  }
  for (let cut = n - least; cut >= 1; cut = Math.floor(cut / 2)) {
    const at = n - cut;
    yield Math.max(least, Math.floor(at / unit) * unit);
    if (cut < unit) yield Math.max(min, at);
  }
}

/**
 * Simpler positions, then simpler lengths, then both at once, of an operation that is nothing but a
 * range.
 */
export function* simplerRange<O extends { pos: number; len: number }>(
  operation: O,
  space: Space,
): Generator<O> {
  const unit = space.blockSize;
  yield { ...operation, pos: 0, len: unit };
  yield { ...operation, len: unit };
  for (const pos of smaller(operation.pos, 0, unit)) yield { ...operation, pos };
  for (const len of smaller(operation.len, 1, unit)) yield { ...operation, len };
  const start = Math.floor(operation.pos / unit) * unit;
  const end = Math.ceil((operation.pos + operation.len) / unit) * unit;
  yield { ...operation, pos: start, len: end - start };
  yield { ...operation, pos: start, len: unit };
  yield { ...operation, pos: end - unit, len: unit };
}
