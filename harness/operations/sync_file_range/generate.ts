/**
 * sync_file_range: writeback of a part of the file.
 */
import { TO_THE_END_PERCENT } from "../../draw/weights.ts";
import { endsOf, moveRange, simplerRange } from "../../aspects/generation.ts";
import type { Generation } from "../../aspects/generation.ts";
import type { SyncFileRange } from "./operation.ts";

export const generation: Generation<SyncFileRange> = {
  share: { recordable: 6, all: 6 },
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
  points: endsOf,
  move: moveRange,
};
