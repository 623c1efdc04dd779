/**
 * Compare what the model expects with what was seen on the kernel, after every operation.
 *
 * Exactly equal: result, i_size, the map merged by state (of the blocks that were looked at, see
 * windows.ts), the reservation, the pages in the page cache and the dirty ones among them, the
 * bytes read. By rule: st_blocks, which includes extent-tree blocks, and the extent status cache,
 * which may forget.
 *
 * Not compared, and why:
 * - physical placement, and how extents of one state are split: the allocator's choice, and it
 *   depends on what else runs on the machine (9 of 400 recorded cases differed from one recording
 *   to the next in nothing else);
 * - which holes, unwritten and written extents are in the extent status cache: it is a cache, with
 *   a shrinker and read-ahead of its own. What it does hold must be true, and delayed extents are
 *   nowhere else, so they must be there;
 * - timestamps and i_version: not part of the write path's promises here;
 * - which pages are cached or dirty, only how many: what else matters of it shows as delayed blocks
 *   and as bytes read.
 *
 * This is the hot loop: nothing is allocated while the two agree.
 */
import { falseInCache } from "../contract/step/accounts.ts";
import { bytesText } from "../case/bytes.ts";
import { describePages } from "../case/observation.ts";
import { dataRanges, sameMap } from "../case/extents.ts";
import { blockRange, firstDifference } from "../text/block-map.ts";
import { type DivergenceKind, firstDifferentByte } from "../finding/divergence.ts";
import { describeResult } from "../text/errno.ts";
import type {
  CachedPages,
  CutFile,
  CutLook,
  Extent,
  Observation,
  PausedLook,
} from "../case/observation.ts";

export interface Geometry {
  /** Bytes. */
  readonly blockSize: number;
}

export interface Difference {
  kind: DivergenceKind;
  /** The first difference in words, one line. */
  message: string;
}

function differentMap(expected: readonly Extent[], seen: readonly Extent[]): Difference {
  const first = firstDifference(expected, seen);
  if (first === undefined) {
    return {
      kind: "map",
      message: "the maps list the same blocks, but one is not merged by state",
    };
  }
  const where = blockRange(first.lblk, first.len);
  const verb = first.len === 1 ? "is" : "are";
  const message = `${where} ${verb} ${first.seen}, expected ${first.expected}`;
  return { kind: "map", message };
}

/** Its entries are true of the map; looked at only where the kernel tells. */
function compareCache(
  map: readonly Extent[],
  { cache, windows }: Pick<Observation, "cache" | "windows">,
): Difference | undefined {
  const message = cache && falseInCache(map, cache, windows);
  return message === undefined ? undefined : { kind: "cache", message };
}

/** 512-byte units: data blocks as expected, and whole extent-tree blocks up to the bound. */
function compareBlocks(
  expected: number,
  seen: number,
  blockSize: number,
  treeMax: number,
): Difference | undefined {
  const unit = blockSize / 512;
  const excess = seen - expected;
  if (excess === 0) return undefined;
  if (excess > 0 && excess % unit === 0 && excess <= treeMax * unit) return undefined;
  const by =
    Math.abs(excess) % unit === 0 ? `${Math.abs(excess) / unit} blocks` : `${excess} units`;
  const tree = treeMax === 0 ? "no extent-tree block" : `at most ${treeMax} extent-tree blocks`;
  const direction = excess > 0 ? "more" : "fewer";
  const message = `st_blocks is ${seen}, expected ${expected}: ${by} ${direction}, with ${tree}`;
  return { kind: "st_blocks", message };
}

/** Looked at only where the kernel tells. */
function comparePages(
  expected: CachedPages | undefined,
  seen: CachedPages | undefined,
): Difference | undefined {
  if (expected === undefined || seen === undefined) return undefined;
  if (expected.cached === seen.cached && expected.dirty === seen.dirty) return undefined;
  const message = `of the file's pages are ${describePages(seen)}, expected ${describePages(expected)}`;
  return { kind: "pages", message };
}

function compareRead(
  expected: Uint8Array | undefined,
  seen: Uint8Array | undefined,
): Difference | undefined {
  if (expected === undefined || seen === undefined) {
    if (expected === seen) return undefined;
    const which = seen === undefined ? "none were" : "some were";
    return { kind: "read", message: `the bytes of a read were compared, but ${which} returned` };
  }
  if (expected.length === seen.length && Buffer.compare(expected, seen) === 0) return undefined;
  const at = firstDifferentByte(expected, seen);
  if (at >= expected.length || at >= seen.length) {
    return { kind: "read", message: `read ${seen.length} bytes, expected ${expected.length}` };
  }
  const [is, should] = [bytesText(seen, at), bytesText(expected, at)];
  return { kind: "read", message: `from byte ${at} on the read has ${is}, expected ${should}` };
}

/** Where in a pause a look was made. */
const whenPaused = (index: number): string =>
  index === 0
    ? "when the write came to its pause"
    : `after operation ${index} of those during the pause`;

/** What differs of the looks during a pause. */
function compareDuring(
  expected: readonly PausedLook[] = [],
  seen: readonly PausedLook[] = [],
): Difference | undefined {
  for (let i = 0; i < Math.max(expected.length, seen.length); i++) {
    const [should, is] = [expected[i], seen[i]];
    if (should === undefined || is === undefined) {
      const came = is === undefined ? "did not come to its pause" : "came to its pause";
      return { kind: "result", message: `the write ${came}, expected otherwise` };
    }
    const at = whenPaused(i);
    if (should.result !== is.result) {
      const message = `${at} it returned ${describeResult(is.result)}, expected ${describeResult(should.result)}`;
      return { kind: "result", message };
    }
    if (should.i_size !== is.i_size) {
      return { kind: "i_size", message: `${at} i_size is ${is.i_size}, expected ${should.i_size}` };
    }
    if (should.reserved !== is.reserved) {
      const message = `${at} ${is.reserved} clusters are reserved, expected ${should.reserved}`;
      return { kind: "reserved", message };
    }
  }
  return undefined;
}

/** Bytes [pos, end) of what a power cut left; zeros where it has no data. */
function bytesIn(file: CutFile, bytes: Uint8Array, pos: number, end: number, blockSize: number) {
  const all = Buffer.alloc(end - pos);
  let at = 0;
  for (const range of dataRanges(file, blockSize)) {
    const [from, to] = [Math.max(pos, range.pos), Math.min(end, range.end)];
    const start = at - range.pos;
    if (from < to) all.set(bytes.subarray(start + from, start + to), from - pos);
    at += range.end - range.pos;
  }
  return all;
}

/** Whether both read the same, wherever one of them has data; not where nobody knows. */
function readTheSame(a: CutFile, b: CutFile, blockSize: number): boolean {
  const [bytes, others] = [a.bytes, b.bytes];
  if (bytes === undefined || others === undefined) return false;
  return [...dataRanges(a, blockSize), ...dataRanges(b, blockSize)].every(({ pos, end }) =>
    bytesIn(a, bytes, pos, end, blockSize).equals(bytesIn(b, others, pos, end, blockSize)),
  );
}

/** What differs of the file as a mount after a power cut finds it. */
function compareCutFile(
  expected: CutFile | undefined,
  seen: CutFile | undefined,
  blockSize: number,
): Difference | undefined {
  const kind = "power-cut";
  if (expected === undefined || seen === undefined) {
    if (expected === seen) return undefined;
    const message =
      seen === undefined ? "the file is gone" : "there is the file, of which nothing was committed";
    return { kind, message };
  }
  if (expected.i_size !== seen.i_size) {
    return { kind, message: `i_size is ${seen.i_size}, expected ${expected.i_size}` };
  }
  if (!sameMap(expected.map, seen.map)) {
    const { message } = differentMap(expected.map, seen.map);
    return { kind: readTheSame(expected, seen, blockSize) ? "power-cut-map" : kind, message };
  }
  const read = expected.bytes && compareRead(expected.bytes, seen.bytes);
  return read && { kind, message: read.message.replace("the read has", "its data are") };
}

/**
 * What differs after a power cut. A kernel may commit without having been asked (its journal has
 * little room, a transaction is a day old): then the file is as it was at that moment, which nobody
 * knows.
 */
function compareCut(
  expected: CutLook | undefined,
  seen: CutLook | undefined,
  blockSize: number,
): Difference | undefined {
  if (expected === undefined || seen === undefined) {
    if (expected === seen) return undefined;
    return { kind: "power-cut", message: "what a power cut leaves was looked at on one side only" };
  }
  const [complaint] = seen.complaints;
  const found: Difference | undefined =
    complaint === undefined ? undefined : { kind: "power-cut", message: complaint };
  const asked = seen.commits <= expected.commits && expected.unsure === undefined;
  const difference =
    found ?? (asked ? compareCutFile(expected.file, seen.file, blockSize) : undefined);
  return difference && { ...difference, message: `after a power cut: ${difference.message}` };
}

/** What differs of what was read, and of what a power cut leaves. */
const compareReads = (
  expected: Observation,
  seen: Observation,
  blockSize: number,
): Difference | undefined =>
  compareRead(expected.read, seen.read) ?? compareCut(expected.cut, seen.cut, blockSize);

/** The same of the data alone, in whatever blocks they are. */
export function compareData(
  expected: Observation,
  seen: Observation,
  blockSize: number,
): Difference | undefined {
  const difference = compareReads(expected, seen, blockSize);
  return difference?.kind === "power-cut-map" ? undefined : difference;
}

/**
 * The first difference that matters, or undefined where the two agree.
 *
 * @param treeMax most extent-tree blocks the file can have, see `treeBlocksMax`
 */
export function compare(
  expected: Observation,
  seen: Observation,
  geometry: Geometry,
  treeMax: number,
): Difference | undefined {
  const paused = compareDuring(expected.during, seen.during);
  if (paused !== undefined) return paused;
  if (expected.result !== seen.result) {
    const [is, should] = [describeResult(seen.result), describeResult(expected.result)];
    return { kind: "result", message: `the call returned ${is}, expected ${should}` };
  }
  if (expected.i_size !== seen.i_size) {
    const message = `i_size is ${seen.i_size}, expected ${expected.i_size}`;
    return { kind: "i_size", message };
  }
  if (!sameMap(expected.map, seen.map)) return differentMap(expected.map, seen.map);
  if (expected.reserved !== seen.reserved) {
    const message = `${seen.reserved} clusters are reserved, expected ${expected.reserved}`;
    return { kind: "reserved", message };
  }
  return (
    compareCache(expected.map, seen) ??
    compareBlocks(expected.st_blocks, seen.st_blocks, geometry.blockSize, treeMax) ??
    compareReads(expected, seen, geometry.blockSize) ??
    // Last: where this is all that differs the case is begun anew (lockstep.ts).
    comparePages(expected.pages, seen.pages)
  );
}
