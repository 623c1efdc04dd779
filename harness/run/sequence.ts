/**
 * Cases in a row on one file system: what one of them leaves there shows in another, which shows
 * nothing by itself.
 *
 * Where a run finds what a fresh image does not show, the cases since the last checkpoint that
 * found nothing are run there again, as they were. Which of them it takes is found by taking out
 * halves, quarters and so on of the others (Zeller and Hildebrandt, Simplifying and Isolating
 * Failure-Inducing Input, 2002, where only complements are tried); then each of those that are left
 * is shrunk.
 */
import type * as fc from "fast-check";
import type { Divergence, EarlierCase } from "../finding/divergence.ts";
import { behind, effectsOf } from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";
import { isWorse, severityOf } from "../finding/severity.ts";
import { FURTHER_LOOKS } from "../session/further.ts";
import { shrinkCase } from "./shrink.ts";

/** The divergence that cases in a row show on a fresh image, the last of which is `operations`. */
export type SequenceAttempt = (
  operations: Operation[],
  before: readonly EarlierCase[],
) => Promise<Divergence | undefined>;

export interface Sequence {
  attempt: SequenceAttempt;
  /** What cases are shrunk with. */
  arbitrary: fc.Arbitrary<Operation[]>;
  /** Milliseconds that all of it may take, but for the attempt that is under way then. */
  limitMs: number;
}

/** The cases of a divergence in a row, its own as the last. */
const casesOf = ({ operations, before = [] }: Divergence): EarlierCase[] => [
  ...before,
  { operations },
];

/** Whether the file of a case is kept that was not synced: the disk may hold any of it. */
function isUnsynced({ kept, operations }: EarlierCase): boolean {
  const last = operations.at(-1);
  return kept === true && (last === undefined || effectsOf(last).syncsAll !== true);
}

/**
 * Tries cases in a row. One without operations leaves nothing, and whether it can be left out was
 * tried; nothing is to be expected of a file that is kept and not synced.
 */
function attemptAll(
  cases: readonly EarlierCase[],
  attempt: SequenceAttempt,
): Promise<Divergence | undefined> {
  const last = cases.at(-1);
  const empty = cases.some(({ operations }) => operations.length === 0);
  if (last === undefined || empty || cases.some(isUnsynced)) return Promise.resolve(undefined);
  return attempt(last.operations, cases.slice(0, -1));
}

/**
 * Takes out of the cases in a row what is needless for something as bad as they show: from the end
 * on first, then from among them.
 */
async function withoutNeedless(
  found: Divergence,
  attempt: SequenceAttempt,
  end: number,
): Promise<Divergence> {
  let best = found;
  /** Whether there is something as bad without `count` cases from number `at` on. */
  const without = async (at: number, count: number): Promise<boolean> => {
    const shown = await attemptAll(casesOf(best).toSpliced(at, count), attempt);
    if (shown === undefined || isWorse(best, shown)) return false;
    best = shown;
    return true;
  };
  for (let size = casesOf(best).length - 1; size >= 1; size = Math.floor(size / 2)) {
    while (casesOf(best).length > size && Date.now() < end) {
      if (!(await without(casesOf(best).length - size, size))) break;
    }
    for (let at = 0; at + size < casesOf(best).length && Date.now() < end;) {
      if (!(await without(at, size))) at += size;
    }
  }
  return best;
}

/**
 * Shrinks the cases that are left, each by itself, the longest first; each may take as much of the
 * time as those that follow it.
 */
async function withLess(
  found: Divergence,
  { attempt, arbitrary }: Sequence,
  end: number,
): Promise<Divergence> {
  const length = (i: number): number => casesOf(found)[i]!.operations.length;
  const order = [...casesOf(found).keys()].toSorted((a, b) => length(b) - length(a));
  let best = found;
  for (const [done, i] of order.entries()) {
    const cases = casesOf(best);
    const one = cases[i];
    // What was tried may have shown in an earlier case than before.
    if (one === undefined) continue;
    const tried = (operations: Operation[]): Promise<Divergence | undefined> =>
      attemptAll(cases.with(i, { ...one, operations }), attempt);
    const share = Math.max(0, end - Date.now()) / (order.length - done);
    best = await shrinkCase(one.operations, best, arbitrary, tried, share);
  }
  return best;
}

/**
 * Data that is lost or shown where one of the cases is looked at further; what was found where
 * there is none, or it is that.
 */
async function lookFurther(found: Divergence, attempt: SequenceAttempt): Promise<Divergence> {
  if (severityOf(found) === "data") return found;
  const cases = casesOf(found);
  for (const [i, { operations }] of [...cases.entries()].toReversed()) {
    for (const look of FURTHER_LOOKS) {
      if (look.length === 0) continue;
      const shown = await attempt(behind(operations, look), cases.slice(0, i));
      if (shown !== undefined && isWorse(shown, found)) return shown;
    }
  }
  return found;
}

/**
 * The least that shows what the cases of `history` show in a row on a fresh image, or something
 * worse; undefined where they show nothing there. What is shown may be in an earlier case than the
 * last one.
 */
export async function leastSequence(
  history: readonly EarlierCase[],
  sequence: Sequence,
): Promise<Divergence | undefined> {
  const last = history.at(-1);
  if (last === undefined) return undefined;
  const end = Date.now() + sequence.limitMs;
  const found = await sequence.attempt([...last.operations], history.slice(0, -1));
  if (found === undefined) return undefined;
  const fewer = await withoutNeedless(found, sequence.attempt, end);
  const worst = await lookFurther(fewer, sequence.attempt);
  // Cases may be needless for what is worse.
  const least = worst === fewer ? fewer : await withoutNeedless(worst, sequence.attempt, end);
  return withLess(least, sequence, end);
}
