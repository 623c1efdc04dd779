/**
 * Points: the byte positions at which the operations of a case begin and end.
 *
 * What makes a case fail is mostly how its operations lie relative to one another. So besides
 * simplifying single operations, the shrinker moves whole points: every operation that begins or
 * ends at a position moves with it.
 */
import type { Move } from "../aspects/generation.ts";
import { generationOf } from "../operations/generation.ts";
import { fileOf } from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";

/** All points of a case, ascending, each once. */
export function pointsOf(operations: readonly Operation[]): number[] {
  const points = operations.flatMap((one) => generationOf(one).points?.(one) ?? []);
  return [...new Set(points)].toSorted((a, b) => a - b);
}

/** `operation` with its points moved, or undefined where nothing of its range is left. */
export function moveOperation(operation: Operation, move: Move): Operation | undefined {
  const { move: how } = generationOf(operation);
  return how === undefined ? operation : how(operation, move);
}

/**
 * The case with all points moved, of one file or both; undefined where an operation would be left
 * without a range.
 */
export function moveAll(
  operations: readonly Operation[],
  move: Move,
  file?: 0 | 1,
): Operation[] | undefined {
  const moved: Operation[] = [];
  for (const operation of operations) {
    const stays = file !== undefined && fileOf(operation) !== file;
    const one = stays ? operation : moveOperation(operation, move);
    if (one === undefined) return undefined;
    moved.push(one);
  }
  return moved;
}

/**
 * Ways to move points together, the most promising first: all of them onto block boundaries; the
 * empty and the dull stretches between them shortened; single points rounded.
 */
export function* moves(points: readonly number[], unit: number): Generator<(p: number) => number> {
  const down = (p: number): number => Math.floor(p / unit) * unit;
  const up = (p: number): number => Math.ceil(p / unit) * unit;
  yield down;
  yield (p) => Math.round(p / unit) * unit;
  yield up;
  yield spread(points, down, unit);
  yield spread(points, up, unit);
  let before = 0;
  for (const point of points) {
    const gap = point - before;
    const start = before;
    for (const kept of keptGaps(gap, unit)) {
      yield (p) => (p <= start ? p : p >= point ? p - gap + kept : Math.min(p, start + kept));
    }
    before = point;
  }
  for (const point of points) {
    if (point % unit === 0) continue;
    for (const to of [down(point), up(point), Math.floor(point / 512) * 512]) {
      yield (p) => (p === point ? to : p);
    }
  }
}

/**
 * Every point onto a block boundary, and no two onto the same one, so that nothing between them
 * vanishes.
 */
function spread(
  points: readonly number[],
  round: (p: number) => number,
  unit: number,
): (p: number) => number {
  const to = new Map<number, number>();
  let least = 0;
  for (const point of points) {
    const at = Math.max(least, round(point));
    to.set(point, at);
    least = at + unit;
  }
  return (p) => to.get(p) ?? round(p);
}

/**
 * Shorter stretches to try instead of one of `gap` bytes. Whole blocks come off first, so what
 * follows stays aligned.
 */
function* keptGaps(gap: number, unit: number): Generator<number> {
  const rest = gap % unit;
  yield 0;
  if (rest > 0) yield rest;
  for (let cut = gap - rest; cut >= unit; cut = Math.floor(cut / 2 / unit) * unit) yield gap - cut;
  if (gap > unit) yield unit;
}
