/**
 * pread: buffered reads, which allocate nothing, so their length is not bounded by the image.
 */
import { endsOf, moveRange, simplerRange } from "../../aspects/generation.ts";
import type { Generation } from "../../aspects/generation.ts";
import type { Pread } from "./operation.ts";

export const generation: Generation<Pread> = {
  share: { recordable: 8, all: 8 },
  generate(draw) {
    const pos = draw.position();
    return { op: "pread", pos, len: draw.length(pos) };
  },
  rank: () => 2,
  simpler: simplerRange,
  points: endsOf,
  move: moveRange,
};
