/**
 * How often what is generated, as data. Numbers are shares of their own table; tables add up to 100
 * where that is possible, so that a share reads as a percentage.
 *
 * A case first draws its *scale* (how wide the window of near positions is, whether it visits far
 * or sparse positions and long lengths at all), then its operations. Cases of different scale meet
 * different boundaries, and the operations of one case still meet each other.
 */
import type {
  DuringOperation,
  FallocateMode,
  OperationName,
} from "../../harness/operations/operation.ts";

/** Keys of a table are what is drawn, values are shares: integers, 0 switches the entry off. */
export type Weights<K extends string | number> = Readonly<Record<K, number>>;

export const OPERATION_WEIGHTS: Weights<OperationName> = {
  pwrite: 42,
  mmap_write: 11,
  pread: 8,
  /**
   * Every tenth operation: without it delayed blocks are never allocated, with more they hardly
   * pile up.
   */
  fsync: 10,
  sync_file_range: 6,
  ftruncate: 9,
  fallocate: 11,
  drop_cache: 3,
  /** Where everything is asked for: ALL_WEIGHTS. */
  paused_write: 0,
  /** Dealt with by CUT_PER_MILLE. */
  power_cut: 0,
  unlink: 0,
  /** Dealt with by TWO_FILES_PERCENT. */
  other_file: 0,
  direct_write: 0,
  direct_read: 0,
};

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
 * The same with paused writes and direct I/O. A paused write costs five times what a write does, a
 * direct one waits for the disk.
 */
export const ALL_WEIGHTS: Weights<OperationName> = {
  ...OPERATION_WEIGHTS,
  pwrite: 35,
  paused_write: 2,
  direct_write: 3,
  direct_read: 1,
  unlink: 1,
};

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

/** Operations during a pause. */
export const DURING_COUNT_WEIGHTS: Weights<"none" | "one" | "two" | "three"> = {
  none: 10,
  one: 45,
  two: 30,
  three: 15,
};

export const DURING_WEIGHTS: Weights<DuringOperation["op"]> = {
  fsync: 30,
  sync_file_range: 20,
  mmap_write: 25,
  pread: 8,
  drop_cache: 17,
};

/** Percent of the pauses after which the rest of the memory is taken away. */
export const FAULT_AFTER_PAUSE_PERCENT = 35;

export const FALLOCATE_WEIGHTS: Weights<FallocateMode> = {
  allocate: 20,
  keep_size: 16,
  punch_hole: 22,
  zero_range: 14,
  zero_range_keep_size: 8,
  collapse_range: 10,
  insert_range: 10,
};

/**
 * Operations in a case; `long` is up to the caller's maxLength, each power of two as likely as the
 * next.
 */
export const CASE_LENGTH_WEIGHTS: Weights<"upTo5" | "upTo20" | "long"> = {
  upTo5: 30,
  upTo20: 55,
  long: 15,
};

/** Blocks from the start of the file that near positions lie in. */
export const WINDOW_WEIGHTS: Weights<4 | 16 | 64> = { 4: 30, 16: 40, 64: 30 };

/** Percent of the cases that visit, besides near positions, ... */
export const SCALE_PERCENT = {
  /** ... page and folio boundaries in the first few MiB. */
  far: 30,
  /** ... the largest offsets of the file system and a few powers of two on the way there. */
  sparse: 12,
  /** ... lengths up to 2.5 MiB, which cost milliseconds each. */
  long: 8,
} as const;

/** Percent of a visiting case's operations that go there. */
export const VISIT_PERCENT = { far: 30, sparse: 15, long: 20 } as const;

/** Percent of the positions and lengths that meet earlier operations of the case. */
export const MEET_PERCENT = {
  /** Positions at the beginning or end of an operation shortly before. */
  recent: 18,
  /** Positions at the end of the file, as far as it is known without running the case. */
  end: 12,
  /** Lengths that reach to either. */
  length: 15,
} as const;

/**
 * Where a position lies relative to the boundary that was drawn; `inside` is anywhere in the block
 * after it.
 */
export const NUDGE_WEIGHTS: Weights<"on" | "before" | "after" | "inside"> = {
  on: 58,
  before: 14,
  after: 14,
  inside: 14,
};

export const LENGTH_WEIGHTS: Weights<"oneByte" | "withinBlock" | "blocks" | "page" | "few"> = {
  oneByte: 6,
  withinBlock: 14,
  /** A number of blocks, 1 to 16, nudged. */
  blocks: 58,
  /** One kernel page, nudged. */
  page: 12,
  /** Up to four blocks, nudged. */
  few: 10,
};

/** Percent of the pwrites that end short, because the tail of their buffer is not mapped. */
export const SHORT_WRITE_PERCENT = 30;

/** How the ends of direct I/O are aligned: to blocks, to sectors of 512 bytes, or not at all. */
export const DIRECT_WEIGHTS: Weights<"block" | "sector" | "byte"> = {
  block: 60,
  sector: 28,
  byte: 12,
};

/** Where a short write ends. `boundary` is a block boundary of the file, nudged. */
export const READABLE_WEIGHTS: Weights<"nothing" | "boundary" | "anywhere"> = {
  nothing: 25,
  boundary: 60,
  anywhere: 15,
};

/** Percent of the collapse_range and insert_range calls that are not block aligned: EINVAL. */
export const UNALIGNED_PERCENT = 12;

/** Percent of punch_hole and sync_file_range calls that reach to the end of the largest file. */
export const TO_THE_END_PERCENT = 8;

/** Percent of the ftruncate calls to size 0, which empties the file whatever it holds. */
export const TRUNCATE_TO_ZERO_PERCENT = 10;

/** Percent of the writes, where everything is asked for, that ... */
export const WRITE_EXTRA_PERCENT = {
  /** ... come in pieces. */
  iov: 12,
  /** ... go to the end of the file, wherever that is. */
  append: 7,
  /** ... are synced before they return, half of them only their data. */
  sync: 5,
  /** ... meet the limit of the process, somewhere in the write or before it. */
  limit: 8,
} as const;

/**
 * Of a hundred cases on a full file system, those in which no write is short: what a kernel is
 * known to do after one is excused there, since no model says whether it did
 * (harness/lockstep/lockstep.ts runPromised()).
 */
export const WHOLE_PERCENT = 50;
