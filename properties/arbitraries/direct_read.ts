/**
 * direct_read: what is on disk.
 */
import { type Kind, type OperationOf, simplerRange } from "./kind.ts";
import { alignedRange } from "./direct_write.ts";

export const direct_read: Kind<OperationOf<"direct_read">> = {
  generate(draw) {
    const pos = draw.position();
    return { op: "direct_read", ...alignedRange(draw, pos, draw.length(pos)) };
  },
  rank: () => 3,
  *simpler(operation, space) {
    yield { op: "pread", pos: operation.pos, len: operation.len };
    yield* simplerRange(operation, space);
  },
};
