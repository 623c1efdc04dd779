/**
 * paused_write: a write that sleeps inside the kernel while others work on the file.
 */
import { SECTOR_BYTES } from "../../harness/operations/operation.ts";
import type { DuringOperation } from "../../harness/operations/operation.ts";
import { type Draw, expand } from "./draw.ts";
import { drop_cache } from "./drop_cache.ts";
import { fsync } from "./fsync.ts";
import { type Kind, type OperationOf, simplerRange } from "./kind.ts";
import { mmap_write } from "./mmap_write.ts";
import { pread } from "./pread.ts";
import { shortReadable } from "./pwrite.ts";
import type { Space } from "./space.ts";
import { sync_file_range } from "./sync_file_range.ts";
import { DURING_COUNT_WEIGHTS, DURING_WEIGHTS, FAULT_AFTER_PAUSE_PERCENT } from "./weights.ts";

type PausedWrite = OperationOf<"paused_write">;

const counts = expand(DURING_COUNT_WEIGHTS);
const numbers = { none: 0, one: 1, two: 2, three: 3 };
const names = expand(DURING_WEIGHTS);

const kinds: { readonly [N in DuringOperation["op"]]: Kind<OperationOf<N>> } = {
  mmap_write,
  pread,
  fsync,
  sync_file_range,
  drop_cache,
};

const kindOf = (name: DuringOperation["op"]): Kind<DuringOperation> => kinds[name];

function isDuring(operation: { op: string }): operation is DuringOperation {
  return operation.op in kinds;
}

/** Stores, reads and syncs meet the write more often than not. */
function drawDuring(draw: Draw, pos: number, len: number): DuringOperation {
  const operation = kindOf(draw.pick(names)).generate(draw);
  if (!("pos" in operation) || draw.percent(40)) return operation;
  const from = draw.nudge(pos, draw.space.blockSize);
  return { ...operation, pos: from, len: Math.min(operation.len, len) };
}

/** The same operation, of another length, paused where it was if that is still within it. */
const withLength = (operation: PausedWrite, len: number): PausedWrite => ({
  ...operation,
  len,
  pause_at: Math.min(operation.pause_at, len - 1),
});

function* simplerPause(operation: PausedWrite, space: Space): Generator<PausedWrite> {
  const { during, len, pause_at } = operation;
  const unit = space.blockSize;
  for (const i of during.keys()) yield { ...operation, during: during.toSpliced(i, 1) };
  for (const [i, one] of during.entries()) {
    for (const simpler of kindOf(one.op).simpler(one, space)) {
      if (isDuring(simpler)) yield { ...operation, during: during.with(i, simpler) };
    }
  }
  yield { ...operation, after: "continue" };
  yield { ...operation, pos: 0, len: 2 * unit, pause_at: unit };
  // Part of a block, the least that is written often.
  const part = { ...operation, pos: 0, len: SECTOR_BYTES, pause_at: 0 };
  yield part;
  yield { ...part, after: "continue" };
  for (const at of [0, unit, Math.floor(pause_at / unit) * unit]) {
    if (at < len) yield { ...operation, pause_at: at };
  }
}

export const paused_write: Kind<PausedWrite> = {
  generate(draw) {
    draw.range();
    const { pos, len } = draw;
    const pause_at = shortReadable(draw, pos, len);
    const count = numbers[draw.pick(counts)];
    const during = Array.from({ length: count }, () => drawDuring(draw, pos, len));
    const after = draw.percent(FAULT_AFTER_PAUSE_PERCENT) ? "fault" : "continue";
    return { op: "paused_write", pos, len, pause_at, during, after };
  },
  /** More than any other operation, and more with everything that happens during it. */
  rank: ({ during, after }) =>
    10 +
    (after === "fault" ? 1 : 0) +
    during.reduce((sum, one) => sum + kindOf(one.op).rank(one), 0),
  *simpler(operation, space) {
    const { pos, len, pause_at } = operation;
    yield { op: "pwrite", pos, len, readable: len };
    yield { op: "pwrite", pos, len, readable: pause_at };
    yield* operation.during;
    yield* simplerPause(operation, space);
    for (const range of simplerRange({ pos, len }, space)) {
      if (range.len >= 1) yield { ...withLength(operation, range.len), pos: range.pos };
    }
  },
};
