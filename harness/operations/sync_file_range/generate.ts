/**
 * sync_file_range: writeback of a part of the file.
 */
import { TO_THE_END_PERCENT } from "../../draw/weights.ts";
import { endsOf, moveRange, simplerRange } from "../../aspects/generation.ts";
import type { Generation } from "../../aspects/generation.ts";
import type { SyncFileRange } from "./operation.ts";

/** Percent of the calls that do not wait for what they write. */
const NOWAIT_PERCENT = 50;

export const generation: Generation<SyncFileRange> = {
  share: { recordable: 6, all: 6 },
  generate(draw) {
    const pos = draw.position();
    const len = draw.percent(TO_THE_END_PERCENT) ? draw.space.maxFile : draw.length(pos);
    return { op: "sync_file_range", pos, len };
  },
  finish: (draw, o) =>
    o.starved === undefined && o.fail_nth === undefined && draw.percent(NOWAIT_PERCENT)
      ? { ...o, nowait: true }
      : o,
  rank: ({ nowait }) => (nowait === true ? 5 : 4),
  *simpler(operation, space) {
    yield { op: "fsync" };
    const { nowait, ...waiting } = operation;
    if (nowait === true) yield waiting;
    yield* simplerRange(operation, space);
  },
  points: endsOf,
  move: moveRange,
};
