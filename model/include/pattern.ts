/**
 * The bytes that writes store. Every write of a case takes its data from one of a few fixed random
 * regions at an offset that depends on its length, so that misplaced, stale and torn data differ
 * from the right data, no byte is ever zero (zero is what a hole reads), and the kernel subject can
 * pass the same memory to every call unchanged.
 *
 * Ours, not the kernel's.
 */
import { PAGE_SIZE } from "./types.ts";

/** Bytes of a region; the user buffer of a write ends where its region ends. */
export const PATTERN_BYTES = 4 * 1024 * 1024;

/** Regions: two writes of a case that are closer than this never share one. */
export const PATTERN_COUNT = 4;

/** The region of bytes that nobody can say: what a block held before the file had it. */
export const UNKNOWN_TAG = -1;

function makePattern(tag: number): Uint8Array {
  const words = new Uint32Array(PATTERN_BYTES / 4);
  let x = 0x9e3779b9 ^ Math.imul(tag + 1, 0x85ebca6b);
  for (let i = 0; i < words.length; i++) {
    // xorshift32 (Marsaglia 2003): any generator would do that has no short period.
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    words[i] = x | 0x01010101;
  }
  return new Uint8Array(words.buffer);
}

const patterns: (Uint8Array | undefined)[] = Array.from({ length: PATTERN_COUNT });

/** The region that operation number `index` of a case writes from. */
export function patternTag(index: number): number {
  return index % PATTERN_COUNT;
}

/** Region `tag`, made on first use. */
export function pattern(tag: number): Uint8Array {
  return (patterns[tag] ??= makePattern(tag));
}

/** Offset in its region of the first byte of a write whose buffer has `readable` mapped bytes. */
export function patternOffset(readable: number): number {
  return PATTERN_BYTES - readable;
}

/** Bytes from the start of a direct write's buffer, which is on a page, to where memory ends. */
export function directBytes(readable: number): number {
  return Math.ceil(readable / PAGE_SIZE) * PAGE_SIZE;
}
