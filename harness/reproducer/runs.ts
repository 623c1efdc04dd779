/**
 * Bytes as a program can name them: runs that are zero, and runs of what one write stored. The
 * model has the bytes themselves; where in the pattern they come from is looked up, since nothing
 * that is longer than a few bytes is there twice.
 */
import { PATTERN_BYTES, PATTERN_COUNT, pattern } from "../../model/include/pattern.ts";

/** `len` bytes from `pos` on. */
export interface Run {
  pos: number;
  len: number;
  /**
   * They are those of the memory of region `tag`, from `readable` bytes before its end on; absent:
   * they are zero.
   */
  from?: { tag: number; readable: number };
}

/** Bytes that are enough to be found where they are, and nowhere else. */
const NEEDLE_BYTES = 8;

function isSource(bytes: Uint8Array, at: number, tag: number, offset: number): boolean {
  const end = Math.min(bytes.length, at + NEEDLE_BYTES);
  const region = pattern(tag);
  for (let i = at; i < end; i++) if (bytes[i] !== region[offset + i - at]) return false;
  return true;
}

/** Where in a region the bytes from `at` on come from; undefined where that cannot be told. */
function sourceOf(bytes: Uint8Array, at: number): { tag: number; offset: number } | undefined {
  const zero = bytes.indexOf(0, at);
  const end = Math.min(zero < 0 ? bytes.length : zero, at + NEEDLE_BYTES);
  const needle = Buffer.from(bytes.subarray(at, end));
  const found: { tag: number; offset: number }[] = [];
  for (let tag = 0; tag < PATTERN_COUNT; tag++) {
    const region = Buffer.from(pattern(tag).buffer);
    for (let i = region.indexOf(needle); i >= 0; i = region.indexOf(needle, i + 1)) {
      found.push({ tag, offset: i });
      if (found.length > 1) return undefined;
    }
  }
  return found[0];
}

/** How far the bytes from `at` on are those of the region from `offset` on. */
function endOfSource(bytes: Uint8Array, at: number, tag: number, offset: number): number {
  const region = pattern(tag);
  let end = at;
  while (end < bytes.length && bytes[end] === region[offset + end - at]) end++;
  return end;
}

function endOfZeros(bytes: Uint8Array, at: number): number {
  let end = at;
  while (end < bytes.length && bytes[end] === 0) end++;
  return end;
}

/** What of [pos, pos + len) is not in `unknown`, which is sorted. */
export interface Unknown {
  start: number;
  end: number;
}

/**
 * The runs of `bytes`, which lie at `pos`. What is in `unknown`, offsets in `bytes`, is left out,
 * and what nobody can name.
 */
export function runsOf(bytes: Uint8Array, pos: number, unknown: readonly Unknown[] = []): Run[] {
  const runs: Run[] = [];
  let last: { tag: number; offset: number; at: number } | undefined;
  for (let at = 0; at < bytes.length;) {
    const skipped = unknown.find(({ start, end }) => start <= at && at < end);
    if (skipped !== undefined) {
      at = skipped.end;
      continue;
    }
    const until = unknown.find(({ start }) => start > at)?.start ?? bytes.length;
    const rest = bytes.subarray(0, until);
    if (bytes[at] === 0) {
      const end = endOfZeros(rest, at);
      runs.push({ pos: pos + at, len: end - at });
      at = end;
      continue;
    }
    // A run goes on behind what was written into it, so that few bytes of it are known as well.
    const goesOn = last && { tag: last.tag, offset: last.offset + at - last.at };
    const source =
      goesOn !== undefined && isSource(rest, at, goesOn.tag, goesOn.offset)
        ? goesOn
        : sourceOf(rest, at);
    if (source === undefined) {
      at++;
      continue;
    }
    const end = endOfSource(rest, at, source.tag, source.offset);
    const from = { tag: source.tag, readable: PATTERN_BYTES - source.offset };
    runs.push({ pos: pos + at, len: end - at, from });
    last = { ...source, at };
    at = end;
  }
  return runs;
}
