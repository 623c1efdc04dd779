/**
 * ftruncate: both directions, since the position does not know where the file ends.
 */
import { smaller } from "../../aspects/generation.ts";
import type { Generation } from "../../aspects/generation.ts";
import type { Ftruncate } from "./operation.ts";

/** Percent of the ftruncate calls to size 0, which empties the file whatever it holds. */
const TRUNCATE_TO_ZERO_PERCENT = 10;

export const generation: Generation<Ftruncate> = {
  share: { recordable: 9, all: 9 },
  generate: (draw) => ({
    op: "ftruncate",
    size: draw.percent(TRUNCATE_TO_ZERO_PERCENT) ? 0 : draw.position(),
  }),
  rank: () => 3,
  *simpler(operation, space) {
    for (const size of smaller(operation.size, 0, space.blockSize)) yield { op: "ftruncate", size };
  },
  points: ({ size }) => [size],
  move: (o, move) => ({ ...o, size: move(o.size) }),
  numbers: ({ size }) => [size],
};
