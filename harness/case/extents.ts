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

/**
 * Bytes of a file that are compared after a power cut, at most: a case writes less, but for a few.
 */
const MOST_DATA = 4 * 2 ** 20;

/** Where a file of `i_size` bytes has data, bytes [pos, end), from its beginning on. */
export function dataRanges(
  { i_size, map }: { i_size: number; map: readonly Extent[] },
  blockSize: number,
): { pos: number; end: number }[] {
  const ranges: { pos: number; end: number }[] = [];
  let left = MOST_DATA;
  for (const { lblk, len, state } of map) {
    const pos = lblk * blockSize;
    const end = Math.min(pos + len * blockSize, i_size, pos + left);
    if (state !== "written" || end <= pos) continue;
    ranges.push({ pos, end });
    left -= end - pos;
  }
  return ranges;
}

/** Blocks that a map holds, delayed ones included. */
export function blocksHeld(map: readonly Extent[]): number {
  let blocks = 0;
  for (const extent of map) blocks += extent.len;
  return blocks;
}

/**
 * Extents that a leaf of the extent tree holds, and entries that an index block does: struct
 * ext4_extent_header, struct ext4_extent and struct ext4_extent_idx have 12 bytes each, the checksum
 * at the end 4 (fs/ext4/ext4_extents.h).
 *
 * @param blockSize bytes
 */
export const leafCapacity = (blockSize: number): number => Math.floor((blockSize - 16) / 12);
