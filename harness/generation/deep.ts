/**
 * Deep cases: files of hundreds of extents, whose extent tree has leaves that are full and index
 * entries above them. They begin with combs; what comes after meets the places where leaves begin.
 *
 * fs/ext4/extents.c: the inode has room for four entries, a leaf for leafCapacity(). An entry that
 * comes behind all others into a full leaf gets a new one; one that comes between others splits the
 * leaf behind where it goes (ext4_ext_split()). So entries that come backwards, each before the
 * last entry of a leaf that is full but for them, have a leaf each: this is how few extents make a
 * tree deep.
 */
import { leafCapacity } from "../case/extents.ts";
import type { Draw } from "../draw/draw.ts";
import { expand } from "../draw/draw.ts";
import type { Weights } from "../draw/weights.ts";
import { combOf } from "../operations/comb/draw.ts";
import type { Operation } from "../operations/operation.ts";

/**
 * What a deep case begins with: leaves that are filled one after the other; leaves that are split
 * in their middle by extents in between; a full leaf, and those behind it with one entry each.
 */
const SHAPE_WEIGHTS: Weights<"filled" | "split" | "stairs"> = { filled: 20, split: 30, stairs: 50 };
const shapes = expand(SHAPE_WEIGHTS);

/** Percent of the stairs that lead to a tree of depth 3, where that takes few enough leaves. */
const DEPTH_3_PERCENT = 30;

/**
 * Leaves that a transaction surely has room for: with 4 KiB blocks one of the journal of an image
 * has 682 blocks in all, and where it is full the journal commits without having been asked, which
 * the model leaves out (model/ext4/ordered.ts).
 */
const MOST_LEAVES = 680;

/** Entries of the inode itself: struct ext4_extent_header and four of them have 60 bytes. */
const ROOT_ENTRIES = 4;

/** Teeth of the second comb of stairs: more leaves than the root, or than four index blocks, hold. */
function drawStairs(draw: Draw, entries: number): number {
  const most = ROOT_ENTRIES * entries;
  const deep = most <= MOST_LEAVES && draw.percent(DEPTH_3_PERCENT);
  return (deep ? most : ROOT_ENTRIES) + draw.between(1, 6);
}

/** The operations that a deep case begins with; tells `draw` of its comb. */
export function drawPrelude(draw: Draw): Operation[] {
  const { blockSize } = draw.space;
  const entries = leafCapacity(blockSize);
  const pos = draw.between(0, 2) * blockSize;
  const shape = draw.pick(shapes);
  const strideBlocks = draw.pick(shape === "stairs" ? [2, 2, 3] : [2, 3, 4]);
  const stride = strideBlocks * blockSize;
  const sync: Operation[] = draw.percent(80) ? [{ op: "fsync" }] : [];
  const call = draw.pick(["pwrite", "allocate", "keep_size"] as const);
  const leaves = draw.between(1, 2);
  const teeth = shape === "stairs" ? entries - 1 : leaves * entries + draw.pick([-1, 0, 1]);
  const first = combOf(
    draw,
    shape === "stairs" && call === "pwrite" ? "allocate" : call,
    pos,
    teeth,
    strideBlocks,
  );
  draw.comb = { pos, stride, teeth, entries };
  draw.reaches(call === "keep_size" ? 0 : first.pos + first.len);
  if (shape === "filled") return [first, ...sync];
  if (shape === "split") {
    const between = pos + draw.between(1, strideBlocks - 1) * blockSize;
    const second = combOf(
      draw,
      draw.pick(["pwrite", "allocate"]),
      between,
      draw.between(1, teeth),
      strideBlocks,
    );
    return [first, { op: "fsync" }, second, ...sync];
  }
  const steps = drawStairs(draw, entries);
  const second = combOf(draw, "allocate", pos + first.len, steps, strideBlocks);
  draw.comb.teeth += steps;
  draw.reaches(second.pos + second.len);
  return [first, { ...second, backwards: true }, ...sync];
}
