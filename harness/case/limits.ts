/**
 * What operands may be, and the operands that several operations share.
 */
import * as z from "zod";
import { LOGICAL_BLOCK_SIZE } from "../../model/include/types.ts";

/**
 * The largest folio, bytes; folios are aligned to their size. A store through a mapping dirties the
 * whole of its folio.
 */
export const FOLIO_BYTES = 2 * 1024 * 1024;

/** The longest write, read or store, bytes: so long that one write can span three folios. */
export const MAX_IO_BYTES = 2 * FOLIO_BYTES;

/**
 * Larger than the largest ext4 file (16 TiB less a block with 4 KiB blocks), so that EFBIG is
 * reachable.
 */
export const MAX_POS_BYTES = 2 ** 44 + 2 ** 22;

/**
 * Allocations that are counted in a call at most: more than any makes that stays within
 * MAX_IO_BYTES.
 */
const MAX_FAIL_NTH = 100_000;

/** Bytes that direct I/O is aligned to. */
export const SECTOR_BYTES = LOGICAL_BLOCK_SIZE;

export const pos = z.int().min(0).max(MAX_POS_BYTES);
export const ioLen = z.int().min(1).max(MAX_IO_BYTES);
export const rangeLen = z.int().min(1).max(MAX_POS_BYTES);

/** Which of the case's two files it is about: the first one where absent. */
export const file = z.union([z.literal(0), z.literal(1)]).optional();

/**
 * Meanwhile the device takes no data for blocks that hold none yet: it is thin, and out of room
 * (subjects/thin.ts). For calls that write to it. In a case of two files the model does not follow
 * what a commit writes of the other one.
 */
export const starved = z.literal(true).optional();

/**
 * Meanwhile the calling thread's allocation of memory number `fail_nth` fails, of those that may
 * (system/fail-nth.ts). For calls that get over it or end early, as a short write does.
 */
export const fail_nth = z.int().min(1).max(MAX_FAIL_NTH).optional();

/** Refuses a buffer of which more can be read than there is. */
export const readableWithinLen = {
  check: ({ readable, len }: { readable: number; len: number }): boolean => readable <= len,
  says: { error: "readable exceeds len", path: ["readable"] },
};

/** `schema`, of which the operands keep the rules. */
export const ruled = <S extends z.ZodObject>(
  schema: S,
  rules: readonly {
    check(this: void, operands: z.infer<S>): boolean;
    says: { error: string; path: string[] };
  }[],
): S => rules.reduce((all, { check, says }) => all.refine(check, says), schema);

/** Whether a range begins and ends on sectors. */
export function isAligned({ pos: at, len }: { pos: number; len: number }): boolean {
  return at % SECTOR_BYTES === 0 && len % SECTOR_BYTES === 0;
}

/** Bytes of the smallest block of a file system. */
const SMALLEST_BLOCK_BYTES = 1024;

/** Of its length, how much stays within the block of `size` bytes where it begins. */
export function withinBlock(
  { pos: at, len }: { pos: number; len: number },
  size = SMALLEST_BLOCK_BYTES,
): number {
  return Math.min(len, size - (at % size));
}

/**
 * Entries of a list that was seen: extents of a file, a hundred thousand operations could hardly
 * make more.
 */
export const MAX_ENTRIES = 2 ** 17;
