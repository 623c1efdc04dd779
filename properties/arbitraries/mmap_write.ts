/**
 * mmap_write: stores through a shared mapping.
 */
import { type Kind, type OperationOf, simplerRange } from "./kind.ts";

export const mmap_write: Kind<OperationOf<"mmap_write">> = {
  generate(draw) {
    draw.rangeInside();
    return { op: "mmap_write", pos: draw.pos, len: draw.len };
  },
  rank: () => 5,
  *simpler(operation, space) {
    yield { op: "pwrite", pos: operation.pos, len: operation.len, readable: operation.len };
    yield* simplerRange(operation, space);
  },
};
