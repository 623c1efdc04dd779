/**
 * pread: buffered reads, which allocate nothing, so their length is not bounded by the image.
 */
import { type Kind, type OperationOf, simplerRange } from "./kind.ts";

export const pread: Kind<OperationOf<"pread">> = {
  generate(draw) {
    const pos = draw.position();
    return { op: "pread", pos, len: draw.length(pos) };
  },
  rank: () => 2,
  simpler: simplerRange,
};
