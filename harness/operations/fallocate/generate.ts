/**
 * fallocate in all its modes. Only punch_hole may be longer than what the case may allocate.
 */
import { endsOf, moveRange, simplerRange } from "../../aspects/generation.ts";
import type { Generation } from "../../aspects/generation.ts";
import { MAX_IO_BYTES } from "../../case/limits.ts";
import { TO_THE_END_PERCENT } from "../../draw/weights.ts";
import type { Weights } from "../../draw/weights.ts";
import type { Fallocate, FallocateMode } from "./operation.ts";
import { type Draw, expand } from "../../draw/draw.ts";

export const FALLOCATE_WEIGHTS: Weights<FallocateMode> = {
  allocate: 20,
  keep_size: 16,
  punch_hole: 22,
  zero_range: 14,
  zero_range_keep_size: 8,
  collapse_range: 10,
  insert_range: 10,
};

/** Percent of the collapse_range and insert_range calls that are not block aligned: EINVAL. */
const UNALIGNED_PERCENT = 12;

const modes = expand(FALLOCATE_WEIGHTS);

const ranks: Readonly<Record<FallocateMode, number>> = {
  allocate: 4,
  keep_size: 5,
  punch_hole: 5,
  zero_range: 6,
  zero_range_keep_size: 7,
  collapse_range: 7,
  insert_range: 7,
};

/**
 * Draw the range of a collapse_range or insert_range: block aligned, as the kernel requires, or
 * seldom not.
 */
function alignedRange(draw: Draw): void {
  const { blockSize, dense } = draw.space;
  draw.pos = draw.alignedPosition();
  draw.len = draw.between(1, 8) * blockSize;
  if (draw.percent(UNALIGNED_PERCENT)) {
    if (draw.percent(50)) draw.pos = draw.nudge(draw.pos, blockSize);
    else draw.len = draw.nudge(draw.len, blockSize);
  }
  draw.len = Math.min(draw.len, dense);
}

function generate(draw: Draw): Fallocate {
  const mode = draw.pick(modes);
  switch (mode) {
    case "allocate":
    case "keep_size":
    case "zero_range":
    case "zero_range_keep_size":
      draw.range();
      return { op: "fallocate", mode, pos: draw.pos, len: draw.len };
    case "punch_hole": {
      const pos = draw.position();
      const len = draw.percent(TO_THE_END_PERCENT) ? draw.space.maxFile : draw.length(pos);
      return { op: "fallocate", mode, pos, len };
    }
    case "collapse_range":
      alignedRange(draw);
      return { op: "fallocate", mode, pos: draw.pos, len: draw.len };
    case "insert_range": {
      alignedRange(draw);
      // What it pushes out of the dense region leaves room for as much again.
      const kept = draw.reserve(draw.len) ? mode : "collapse_range";
      return { op: "fallocate", mode: kept, pos: draw.pos, len: draw.len };
    }
  }
}

export const generation: Generation<Fallocate> = {
  share: { recordable: 11, all: 11 },
  generate,
  rank: ({ mode }) => ranks[mode],
  *simpler(operation, space) {
    const { mode, pos, len } = operation;
    if ((mode === "allocate" || mode === "zero_range") && len <= MAX_IO_BYTES) {
      yield { op: "pwrite", pos, len, readable: len };
    }
    if (mode === "keep_size" || mode === "zero_range") yield { ...operation, mode: "allocate" };
    if (mode === "zero_range_keep_size") {
      yield { ...operation, mode: "zero_range" };
      yield { ...operation, mode: "keep_size" };
      yield { ...operation, mode: "punch_hole" };
    }
    if (mode === "zero_range" || mode === "collapse_range") {
      yield { ...operation, mode: "punch_hole" };
    }
    yield* simplerRange(operation, space);
  },
  points: endsOf,
  move: moveRange,
};
