/**
 * Lists of extents, sorted and merged by state, as observations hold them.
 */
import type { BlockRange, Extent } from "./observation.ts";

/** All blocks of a file, as ranges. */
export const WHOLE_FILE: readonly BlockRange[] = [{ lblk: 0, end: Infinity }];

/** Whether two maps are equal. Allocates nothing: it runs after every operation. */
export function sameMap(a: readonly Extent[], b: readonly Extent[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    const x = a[i]!;
    const y = b[i]!;
    if (x.lblk !== y.lblk || x.len !== y.len || x.state !== y.state) return false;
  }
  return true;
}

/** Blocks that a map holds, delayed ones included. */
export function blocksHeld(map: readonly Extent[]): number {
  let blocks = 0;
  for (const extent of map) blocks += extent.len;
  return blocks;
}
