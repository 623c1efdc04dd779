/**
 * Compare what the model expects with what was seen on the kernel, after every operation.
 *
 * Exactly equal: result, i_size, the map merged by state (of the blocks that were looked at, see
 * looks.ts), the reservation, the pages in the page cache and the dirty ones among them, the bytes
 * read. By rule: st_blocks, which includes extent-tree blocks, and the extent status cache, which
 * may forget.
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
import { bytesText } from "../case/bytes.ts";
import { describePages } from "../case/observation.ts";
import { WHOLE_FILE, sameMap } from "../case/extents.ts";
import { blockRange, firstDifference } from "../report/block-map.ts";
import { type DivergenceKind, firstDifferentByte } from "../finding/divergence.ts";
import { describeResult } from "../report/errno.ts";
import type {
  BlockRange,
  CacheExtent,
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

/**
 * Extents that a file may have while an operation runs, for each that it is left with: a write that
 * ends short frees again what it allocated, a collapse first writes back what it removes, splitting
 * one extent makes three.
 */
const TRANSIENT_FACTOR = 2;
const TRANSIENT_SLACK = 8;

/**
 * Most blocks that the extent tree of a file can hold outside the inode.
 *
 * The tree grows with the extents it has and hardly ever shrinks, so what counts is the most that a
 * file had in its life, also for a moment inside an operation: fragments that nobody outside sees
 * may need a leaf, and it stays. One leaf is therefore always possible. Up to the capacity of a
 * leaf it is enough, since only a full one is split; beyond, a leaf may hold as little as one
 * extent. What the tree really takes is checked at a checkpoint, exactly.
 *
 * @param piecesHighWater most physical extents seen after any operation of the case
 * @param blockSize bytes
 */
export function treeBlocksMax(piecesHighWater: number, blockSize: number): number {
  const most = TRANSIENT_FACTOR * piecesHighWater + TRANSIENT_SLACK;
  // struct ext4_extent_header and struct ext4_extent have 12 bytes each, the checksum at the end
  // has 4.
  const leafCapacity = Math.floor((blockSize - 12) / 12);
  return most <= leafCapacity ? 1 : 1 + most;
}

/**
 * The first entry of the cache that says something untrue of `map`, as its index; -1 where all of
 * it is true. Both lists are sorted.
 */
function falseEntry(map: readonly Extent[], cache: readonly CacheExtent[]): number {
  let m = 0;
  for (let c = 0; c < cache.length; c++) {
    const entry = cache[c]!;
    const end = entry.lblk + entry.len;
    while (m < map.length && map[m]!.lblk + map[m]!.len <= entry.lblk) m++;
    const at = map[m];
    const true_ =
      entry.state === "hole"
        ? at === undefined || at.lblk >= end
        : at !== undefined &&
          at.state === entry.state &&
          at.lblk <= entry.lblk &&
          at.lblk + at.len >= end;
    if (!true_) return c;
  }
  return -1;
}

/** Whether `window` holds an entry of the cache. */
function answered(cache: readonly CacheExtent[], window: BlockRange): boolean {
  return cache.some(({ lblk, len }) => lblk < window.end && lblk + len > window.lblk);
}

/**
 * The first delayed extent of `map` that the cache does not hold, as its index; -1 where there is
 * none.
 *
 * EXT4_IOC_GET_ES_CACHE begins at the first block of a window and answers nothing at all where no
 * entry covers that. So an empty answer only says something of a delayed extent at the very
 * beginning.
 */
function forgottenDelayed(
  map: readonly Extent[],
  cache: readonly CacheExtent[],
  windows: readonly BlockRange[],
): number {
  let c = 0;
  for (let m = 0; m < map.length; m++) {
    const extent = map[m]!;
    if (extent.state !== "delayed") continue;
    while (c < cache.length && cache[c]!.lblk + cache[c]!.len <= extent.lblk) c++;
    const entry = cache[c];
    const holds =
      entry !== undefined &&
      entry.state === "delayed" &&
      entry.lblk <= extent.lblk &&
      entry.lblk + entry.len >= extent.lblk + extent.len;
    if (holds) continue;
    const window = windows.find(({ end }) => end > extent.lblk)!;
    if (extent.lblk === window.lblk || answered(cache, window)) return m;
  }
  return -1;
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

/**
 * What is wrong with the extent status cache of a file with this map, of which `windows` were
 * looked at; undefined where all that it says is so, and it holds what is delayed.
 */
export function compareCache(
  map: readonly Extent[],
  cache: readonly CacheExtent[],
  windows: readonly BlockRange[] = WHOLE_FILE,
): Difference | undefined {
  const wrong = falseEntry(map, cache);
  if (wrong >= 0) {
    const { lblk, len, state } = cache[wrong]!;
    const where = blockRange(lblk, len);
    const message = `the extent status cache says ${state} for ${where}, which is not so`;
    return { kind: "cache", message };
  }
  const missing = forgottenDelayed(map, cache, windows);
  if (missing >= 0) {
    const { lblk, len } = map[missing]!;
    const where = blockRange(lblk, len);
    const message = `the extent status cache does not hold the delayed ${where} as one whole`;
    return { kind: "cache", message };
  }
  return undefined;
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

/** What differs of the file as a mount after a power cut finds it. */
function compareCutFile(
  expected: CutFile | undefined,
  seen: CutFile | undefined,
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
    return { kind, message: differentMap(expected.map, seen.map).message };
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
): Difference | undefined {
  if (expected === undefined || seen === undefined) {
    if (expected === seen) return undefined;
    return { kind: "power-cut", message: "what a power cut leaves was looked at on one side only" };
  }
  const [complaint] = seen.complaints;
  const found: Difference | undefined =
    complaint === undefined ? undefined : { kind: "power-cut", message: complaint };
  const asked = seen.commits <= expected.commits && expected.unsure === undefined;
  const difference = found ?? (asked ? compareCutFile(expected.file, seen.file) : undefined);
  return difference && { ...difference, message: `after a power cut: ${difference.message}` };
}

/** What differs of the data alone: of what was read, and of what a power cut leaves. */
export function compareData(expected: Observation, seen: Observation): Difference | undefined {
  return compareRead(expected.read, seen.read) ?? compareCut(expected.cut, seen.cut);
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
    (seen.cache === undefined ? undefined : compareCache(expected.map, seen.cache, seen.windows)) ??
    compareBlocks(expected.st_blocks, seen.st_blocks, geometry.blockSize, treeMax) ??
    compareData(expected, seen) ??
    // Last: where this is all that differs the case is begun anew (lockstep.ts).
    comparePages(expected.pages, seen.pages)
  );
}
