/**
 * sync_file_range: writeback of a part of the file.
 */
import { type Kind, type OperationOf, simplerRange } from "./kind.ts";
import { TO_THE_END_PERCENT } from "./weights.ts";

export const sync_file_range: Kind<OperationOf<"sync_file_range">> = {
  generate(draw) {
    const pos = draw.position();
    const len = draw.percent(TO_THE_END_PERCENT) ? draw.space.maxFile : draw.length(pos);
    return { op: "sync_file_range", pos, len };
  },
  rank: () => 4,
  *simpler(operation, space) {
    yield { op: "fsync" };
    yield* simplerRange(operation, space);
  },
};
