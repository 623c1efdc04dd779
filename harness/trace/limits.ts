/**
 * What a trace may hold at most. A trace is read a case at a time, so these bound the memory that
 * any file can make us use, whatever is in it.
 */
import { MAX_OPERATIONS } from "../operations/operation.ts";

export interface TraceLimits {
  /** Bytes of the longest line, that is, of the largest case. */
  lineBytes: number;
  /** Steps of the longest case. */
  steps: number;
}

export const MIB = 2 ** 20;

/** Seventy thousand steps of the usual kind have 16 MiB. */
export const DEFAULT_LIMITS: TraceLimits = { lineBytes: 16 * MIB, steps: MAX_OPERATIONS };

/**
 * Bytes of a long line for each comma and opening bracket in it, at least: a step has twenty, an
 * extent more than three. Less is a line that was made to fill memory.
 */
export const BYTES_PER_VALUE = 3;

/** Bytes that the reads of a case returned, at most: in the file they may take next to nothing. */
export const MAX_READ_BYTES = 2 ** 28;

/** Brackets inside one another in the deepest line: a case has five. */
export const MAX_DEPTH = 16;

/**
 * Folios that the page cache of a file under test may have: 1 GiB of single pages, four times what
 * the recorded images hold. The model keeps one object each.
 */
export const MAX_FOLIOS = 2 ** 18;
