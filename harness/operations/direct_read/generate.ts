/**
 * direct_read: what is on disk.
 */
import { endsOf, moveRange, simplerRange } from "../../aspects/generation.ts";
import type { Generation } from "../../aspects/generation.ts";
import { alignedRange } from "../direct_write/generate.ts";
import type { DirectRead } from "./operation.ts";

export const generation: Generation<DirectRead> = {
  share: { recordable: 0, all: 1 },
  generate(draw) {
    const pos = draw.position();
    return { op: "direct_read", ...alignedRange(draw, pos, draw.length(pos)) };
  },
  rank: () => 3,
  *simpler(operation, space) {
    yield { op: "pread", pos: operation.pos, len: operation.len };
    yield* simplerRange(operation, space);
  },
  points: endsOf,
  move: moveRange,
};
