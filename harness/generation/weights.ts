/**
 * How often what befalls a case as a whole, as data. How often each operation is drawn is in its
 * folder, where it is drawn from in draw/weights.ts.
 */
import type { Weights } from "../draw/weights.ts";

/**
 * Of a thousand cases, where everything is asked for, so many have a power cut after one of their
 * operations. It copies the image, mounts the copy and checks it: as much work as two hundred
 * operations.
 */
export const CUT_PER_MILLE = 1;

/**
 * Percent of the power cuts that come right after a commit which found other data unwritten, where
 * the case has one.
 */
export const CUT_AFTER_COMMIT_PERCENT = 50;

/**
 * Percent of the cases, of a run, that have two files, and in those of the operations that come
 * right after a change to the other. The device always has room in them: what a commit of one
 * file's could not write of the other's only shows when that one is synced.
 */
export const TWO_FILES_PERCENT = { cases: 8, changes: 22 } as const;

/**
 * Percent of the calls that write to the device, where that is thin, which find it without room.
 */
export const STARVED_PERCENT = 25;

/**
 * Percent of the delayed writes that can be read whole which lack memory, where everything is asked
 * for.
 */
export const FAIL_NTH_PERCENT = 3;

/**
 * Which allocation fails is one of up to 2 ** n, n from 1 to this: a write of a page makes a few,
 * one of many pages a few for each.
 */
export const FAIL_NTH_OCTAVES = 6;

/**
 * Operations in a case; `long` is up to the caller's maxLength, each power of two as likely as the
 * next.
 */
export const CASE_LENGTH_WEIGHTS: Weights<"upTo5" | "upTo20" | "long"> = {
  upTo5: 30,
  upTo20: 55,
  long: 15,
};

/**
 * Of a hundred cases on a full file system, those in which no write is short: what a kernel is
 * known to do after one is excused there, since no model says whether it did
 * (harness/lockstep/lockstep.ts runPromised()).
 */
export const WHOLE_PERCENT = 50;

/** Of a thousand cases, where everything is asked for, so many are deep (deep.ts). */
export const DEEP_PER_MILLE = 15;

/** Operations of a deep case: at least so many must fit, and at most so many follow its combs. */
export const DEEP_LENGTH = { least: 8, most: 16 } as const;
