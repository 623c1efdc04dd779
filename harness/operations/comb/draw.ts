/**
 * Combs as they are drawn: so that leaves of the extent tree come to be full, one entry short of
 * it, or split.
 */
import { leafCapacity } from "../../case/extents.ts";
import { expand } from "../../draw/draw.ts";
import type { Draw } from "../../draw/draw.ts";
import type { Weights } from "../../draw/weights.ts";
import { COMB_CALLS, MAX_TEETH } from "./operation.ts";
import type { Comb } from "./operation.ts";

export const COMB_WEIGHTS: Weights<(typeof COMB_CALLS)[number]> = {
  pwrite: 30,
  allocate: 20,
  keep_size: 15,
  punch_hole: 15,
  zero_range: 12,
  zero_range_keep_size: 8,
};

const calls = expand(COMB_WEIGHTS);

/** Blocks from one tooth to the next. */
const STRIDES = [2, 2, 2, 3, 4, 8] as const;

/** Percent of the teeth that are a block; the others are less than that, or more. */
const WHOLE_BLOCK_PERCENT = 75;

/** Percent of the combs, behind the first of their case, that lie between the teeth of that. */
const BETWEEN_PERCENT = 50;

const BACKWARDS_PERCENT = 30;

/** Where a comb begins, bytes. */
function drawPos(draw: Draw, stride: number): number {
  const { comb, space } = draw;
  if (comb === undefined || draw.percent(100 - BETWEEN_PERCENT)) return draw.alignedPosition();
  const between = draw.between(1, Math.max(1, stride / space.blockSize - 1)) * space.blockSize;
  return comb.pos + between + draw.between(0, 2) * comb.stride;
}

/** How many teeth: about as many as some leaves have entries, or a few. */
function drawTeeth(draw: Draw): number {
  const entries = leafCapacity(draw.space.blockSize);
  const teeth = draw.percent(25)
    ? draw.between(3, Math.floor(entries / 2))
    : draw.between(1, 2) * entries + draw.pick([-1, 0, 1, 8]);
  return Math.min(MAX_TEETH, Math.max(2, teeth));
}

function drawTooth(draw: Draw, stride: number, call: Comb["call"]): number {
  const { blockSize } = draw.space;
  if (draw.percent(WHOLE_BLOCK_PERCENT)) return blockSize;
  // A hole of less than a block frees nothing.
  if (call === "punch_hole" || draw.percent(50)) return Math.max(blockSize, stride - blockSize);
  return draw.between(1, blockSize);
}

/**
 * The comb with as many teeth as the case may still allocate: those outside of the dense region
 * count.
 */
function withinRoom(draw: Draw, comb: Comb): Comb {
  const { dense, blockSize } = draw.space;
  const { pos, len, stride, tooth } = comb;
  const outside = Math.ceil(Math.max(0, pos + len - dense) / stride);
  if (outside === 0 || draw.reserve(outside * (tooth + 2 * blockSize))) return comb;
  const inside = Math.max(1, Math.floor((dense - pos) / stride));
  return { ...comb, len: inside * stride };
}

/** A comb of `teeth` blocks, `stride` blocks from one to the next. */
export function combOf(
  draw: Draw,
  call: Comb["call"],
  pos: number,
  teeth: number,
  strideBlocks: number,
): Comb {
  const { blockSize } = draw.space;
  const stride = strideBlocks * blockSize;
  const len = teeth * stride;
  return withinRoom(draw, { op: "comb", pos, len, call, tooth: blockSize, stride });
}

/** Any comb. */
export function drawComb(draw: Draw): Comb {
  const call = draw.pick(calls);
  const stride = draw.comb?.stride ?? draw.pick(STRIDES) * draw.space.blockSize;
  const pos = drawPos(draw, stride);
  const len = drawTeeth(draw) * stride;
  const tooth = drawTooth(draw, stride, call);
  const backwards = draw.percent(BACKWARDS_PERCENT) ? { backwards: true as const } : {};
  return withinRoom(draw, { op: "comb", pos, len, call, tooth, stride, ...backwards });
}
