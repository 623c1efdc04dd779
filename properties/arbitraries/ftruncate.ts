/**
 * ftruncate: both directions, since the position does not know where the file ends.
 */
import { type Kind, type OperationOf, smaller } from "./kind.ts";
import { TRUNCATE_TO_ZERO_PERCENT } from "./weights.ts";

export const ftruncate: Kind<OperationOf<"ftruncate">> = {
  generate: (draw) => ({
    op: "ftruncate",
    size: draw.percent(TRUNCATE_TO_ZERO_PERCENT) ? 0 : draw.position(),
  }),
  rank: () => 3,
  *simpler(operation, space) {
    for (const size of smaller(operation.size, 0, space.blockSize)) yield { op: "ftruncate", size };
  },
};
