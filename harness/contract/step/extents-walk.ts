/**
 * Walks over extent lists, two at a time or one. They run after every operation, so they allocate
 * nothing but their answer.
 */
import { blockRange } from "../../text/block-map.ts";
import type { BlockRange, CacheExtent, Extent } from "../../case/observation.ts";

export type BlockState = CacheExtent["state"];

/** Index of the first extent that ends after `lblk`. */
export function indexAfter(map: readonly Extent[], lblk: number): number {
  let low = 0;
  let high = map.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const extent = map[middle]!;
    if (extent.lblk + extent.len > lblk) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The state of `lblk`, given the first extent that ends after it. */
function stateIn(extent: Extent | undefined, lblk: number): BlockState {
  return extent === undefined || extent.lblk > lblk ? "hole" : extent.state;
}

/** Where the state of `lblk` ends, given the first extent that ends after it. */
function edgeAfter(extent: Extent | undefined, lblk: number): number {
  if (extent === undefined) return Infinity;
  return extent.lblk > lblk ? extent.lblk : extent.lblk + extent.len;
}

/** What a block is and was, for `firstRun` to be asked about. */
export type Change = (now: BlockState, was: BlockState) => boolean;

/** The first run of blocks in [from, end) of which `is` holds; undefined where it holds of none. */
export function firstRun(
  now: readonly Extent[],
  was: readonly Extent[],
  from: number,
  end: number,
  is: Change,
): BlockRange | undefined {
  let n = indexAfter(now, from);
  let w = indexAfter(was, from);
  let start = -1;
  let lblk = from;
  while (lblk < end) {
    const holds = is(stateIn(now[n], lblk), stateIn(was[w], lblk));
    if (holds && start < 0) start = lblk;
    if (!holds && start >= 0) return { lblk: start, end: lblk };
    lblk = Math.min(edgeAfter(now[n], lblk), edgeAfter(was[w], lblk));
    while (n < now.length && now[n]!.lblk + now[n]!.len <= lblk) n++;
    while (w < was.length && was[w]!.lblk + was[w]!.len <= lblk) w++;
  }
  return start < 0 ? undefined : { lblk: start, end: Math.min(lblk, end) };
}

/** `firstRun` in [from, end), of the part that `windows` show. */
export function firstVisibleRun(
  windows: readonly BlockRange[],
  now: readonly Extent[],
  was: readonly Extent[],
  from: number,
  end: number,
  is: Change,
): BlockRange | undefined {
  for (let i = 0; i < windows.length; i++) {
    const window = windows[i]!;
    const run = firstRun(now, was, Math.max(from, window.lblk), Math.min(end, window.end), is);
    if (run !== undefined) return run;
  }
  return undefined;
}

/** Whether `map` has a delayed block. */
export function hasDelayed(map: readonly Extent[]): boolean {
  for (let i = 0; i < map.length; i++) if (map[i]!.state === "delayed") return true;
  return false;
}

/** Replace what `known` says of the blocks of `windows` by what `map` does. */
export function patch(
  known: Extent[],
  windows: readonly BlockRange[],
  map: readonly Extent[],
): void {
  let m = 0;
  for (const { lblk, end } of windows) {
    const first = indexAfter(known, lblk);
    let last = first;
    while (last < known.length && known[last]!.lblk < end) last++;
    const inside: Extent[] = [];
    if (last > first) {
      const { lblk: start, state } = known[first]!;
      if (start < lblk) inside.push({ lblk: start, len: lblk - start, state });
    }
    for (; m < map.length && map[m]!.lblk < end; m++) inside.push(map[m]!);
    if (last > first) {
      const { lblk: start, len, state } = known[last - 1]!;
      if (start + len > end) inside.push({ lblk: end, len: start + len - end, state });
    }
    known.splice(first, last - first, ...inside);
  }
}

/** "block 3 is", or "blocks 3-7 are": how a message about a run begins. */
export function describeRun({ lblk, end }: BlockRange): string {
  const one = end - lblk === 1;
  return end === Infinity
    ? `block ${lblk} and all behind it are`
    : `${blockRange(lblk, end - lblk)} ${one ? "is" : "are"}`;
}

/** How many blocks of a map are delayed. */
export function delayedBlocks(map: readonly Extent[]): number {
  let blocks = 0;
  for (let i = 0; i < map.length; i++) {
    const { state, len } = map[i]!;
    if (state === "delayed") blocks += len;
  }
  return blocks;
}
