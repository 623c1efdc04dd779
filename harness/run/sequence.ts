/**
 * Several cases in a row as one: what one case damages another may trip over, and neither shows it alone.
 */
import type { Operation } from "../operation.ts";

/** Cases that are remembered; those since the last checkpoint that found nothing are fewer, mostly. */
const MOST_CASES = 4096;

/**
 * Cases one after the other, as a run performs them: each has a new file, and that of the one before is removed. So it is with `unlink`
 * between them, and the sequence is a case like any other, that is stored, shrunk and replayed.
 */
export function inSequence(cases: readonly (readonly Operation[])[]): Operation[] {
  return cases.flatMap((operations, i) => [
    ...(i === 0 ? [] : [{ op: "unlink" } as const]),
    ...operations,
  ]);
}

/** The cases of a run since its image was last found to be whole. */
export class History {
  #cases: (readonly Operation[])[] = [];

  add(operations: readonly Operation[]): void {
    if (this.#cases.length === MOST_CASES) this.#cases.shift();
    this.#cases.push(operations);
  }

  get length(): number {
    return this.#cases.length;
  }

  /** All of them left the image whole. */
  forget(): void {
    this.#cases = [];
  }

  /** Number of a case; how many there are where it is none of them. */
  placeOf(operations: readonly Operation[]): number {
    const at = this.#cases.indexOf(operations);
    return at < 0 ? this.#cases.length : at;
  }

  /** `last` with more and more of the cases before number `end` in front of it: twice as many each time. */
  *before(last: readonly Operation[], end: number): Generator<(readonly Operation[])[]> {
    for (let count = 1; ; count *= 2) {
      const start = Math.max(0, end - count);
      if (end > 0) yield [...this.#cases.slice(start, end), last];
      if (start === 0) return;
    }
  }
}

/**
 * The cases of a sequence that it takes for `shows` to hold, found by leaving out halves, quarters and so on down to single cases.
 * Gives up at `deadline` (performance.now()) and returns the least so far.
 */
export async function leastCases(
  cases: readonly (readonly Operation[])[],
  shows: (operations: Operation[]) => Promise<boolean>,
  deadline: number,
): Promise<(readonly Operation[])[]> {
  let left = [...cases];
  for (
    let size = Math.ceil(left.length / 2);
    size >= 1;
    size = size === 1 ? 0 : Math.ceil(size / 2)
  ) {
    for (let start = 0; start < left.length && left.length > 1;) {
      if (performance.now() > deadline) return left;
      const without = left.toSpliced(start, size);
      if (without.length > 0 && (await shows(inSequence(without)))) left = without;
      else start += size;
    }
  }
  return left;
}
