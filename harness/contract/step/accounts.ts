/**
 * The accounts that a file system keeps of a file, as far as anybody can say what they must be
 * whatever the mechanism: how many blocks its extent tree may take, and what its extent status
 * cache may say.
 */
import { WHOLE_FILE, leafCapacity } from "../../case/extents.ts";
import type { BlockRange, CacheExtent, Extent } from "../../case/observation.ts";
import { blockRange } from "../../text/block-map.ts";

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
  return most <= leafCapacity(blockSize) ? 1 : 1 + most;
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

/**
 * What is wrong with the extent status cache of a file with this map, of which `windows` were
 * looked at; undefined where all that it says is so, and it holds what is delayed.
 */
export function falseInCache(
  map: readonly Extent[],
  cache: readonly CacheExtent[],
  windows: readonly BlockRange[] = WHOLE_FILE,
): string | undefined {
  const wrong = falseEntry(map, cache);
  if (wrong >= 0) {
    const { lblk, len, state } = cache[wrong]!;
    const where = blockRange(lblk, len);
    return `the extent status cache says ${state} for ${where}, which is not so`;
  }
  const missing = forgottenDelayed(map, cache, windows);
  if (missing >= 0) {
    const { lblk, len } = map[missing]!;
    const where = blockRange(lblk, len);
    return `the extent status cache does not hold the delayed ${where} as one whole`;
  }
  return undefined;
}
