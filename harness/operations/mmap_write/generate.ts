/**
 * mmap_write: stores through a shared mapping.
 */
import { endsOf, moveRange, simplerRange } from "../../aspects/generation.ts";
import type { Generation } from "../../aspects/generation.ts";
import type { MmapWrite } from "./operation.ts";

export const generation: Generation<MmapWrite> = {
  share: { recordable: 11, all: 11 },
  generate(draw) {
    draw.rangeInside();
    return { op: "mmap_write", pos: draw.pos, len: draw.len };
  },
  rank: () => 5,
  *simpler(operation, space) {
    yield { op: "pwrite", pos: operation.pos, len: operation.len, readable: operation.len };
    yield* simplerRange(operation, space);
  },
  points: endsOf,
  move: moveRange,
};
