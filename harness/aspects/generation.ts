/**
 * Generation: what there is to know of an operation to draw it and to make it simpler.
 */
import type { Draw } from "../draw/draw.ts";
import type { Space } from "../draw/space.ts";

/** An operation to try: who shrinks looks whether it is a valid one. */
export interface Candidate {
  readonly op: string;
}

/** Moves a position in the file, bytes. */
export type Move = (point: number) => number;

export interface Generation<O> {
  /**
   * How often it is drawn beside the others, some hundred in all: of those that versions 1 and 2 of
   * recordings can hold, and of all. 0 where it is not drawn like the others. `twoFiles` is that of
   * all in a case of two files, `deep` in one that begins with a comb; absent: the same.
   */
  readonly share: {
    readonly recordable: number;
    readonly all: number;
    readonly twoFiles?: number;
    readonly deep?: number;
  };
  generate(this: void, draw: Draw): O;
  /**
   * It once its case is drawn, where everything is asked for: what is drawn here changes no other
   * operation of the seed. Absent: as it is.
   */
  finish?(this: void, draw: Draw, operation: O): O;
  /**
   * How much a reader has to know to follow it: fsync is 1. Shrinking never replaces an operation
   * by a harder one.
   */
  rank(this: void, operation: O): number;
  /**
   * Operations to try in its place, the most promising first. They need not be simpler (the
   * shrinker drops those that are not), valid, nor distinct, and at most a few dozen.
   */
  simpler(this: void, operation: O, space: Space): Iterable<Candidate>;
  /** Positions at which it begins, changes or ends, bytes. Absent: none. */
  points?(this: void, operation: O): readonly number[];
  /** It with its points moved; undefined where nothing of its range is left. Absent: itself. */
  move?(this: void, operation: O, move: Move): O | undefined;
  /** Its numbers besides `pos`, `len` and `readable`. Absent: none. */
  numbers?(this: void, operation: O): readonly number[];
  /** It as it ends short after `cut` bytes, less than its length. Absent: it cannot. */
  cutAt?(this: void, operation: O, cut: number): O;
  /** One operation that does as well as both of them; undefined where none does. Absent: never. */
  joinedWith?(this: void, operation: O, next: Candidate): O | undefined;
  /** What only allocates the blocks that it writes to. Absent: it does more than write. */
  allocation?(this: void, operation: O): Candidate | undefined;
  /** It syncs, and nothing else. */
  readonly onlySyncs?: true;
  /** Whether it commits what is known of the file, and may leave what is not on disk. */
  commitsInPassing?(this: void, operation: O): boolean;
}

/** The points of a range. */
export const endsOf = ({ pos, len }: { pos: number; len: number }): number[] => [pos, pos + len];

/** A range with its points moved; undefined where nothing is left of it. */
export function moveRange<O extends { pos: number; len: number }>(
  operation: O,
  move: Move,
): O | undefined {
  const pos = move(operation.pos);
  const len = move(operation.pos + operation.len) - pos;
  return len < 1 ? undefined : { ...operation, pos, len };
}

/** The same of a range of which the first bytes, or all, can be read. */
export function moveReadable<O extends { pos: number; len: number; readable: number }>(
  operation: O,
  move: Move,
): O | undefined {
  const moved = moveRange(operation, move);
  if (moved === undefined) return undefined;
  const whole = operation.readable === operation.len;
  const readable = whole ? moved.len : move(operation.pos + operation.readable) - moved.pos;
  return readable < 0 || readable > moved.len ? undefined : { ...moved, readable };
}

/** The points of a range of which the first bytes, or all, can be read. */
export const endsOfReadable = (o: { pos: number; len: number; readable: number }): number[] =>
  o.readable < o.len ? [...endsOf(o), o.pos + o.readable] : endsOf(o);

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
