/**
 * paused_write: a write that sleeps inside the kernel while others work on the file.
 */
import { endsOf, moveRange, simplerRange } from "../../aspects/generation.ts";
import type { Generation, Move } from "../../aspects/generation.ts";
import { SECTOR_BYTES } from "../../case/limits.ts";
import type { Weights } from "../../draw/weights.ts";
import { generation as drop_cache } from "../drop_cache/generate.ts";
import { generation as fsync } from "../fsync/generate.ts";
import { generation as mmap_write } from "../mmap_write/generate.ts";
import { generation as pread } from "../pread/generate.ts";
import { shortReadable } from "../pwrite/generate.ts";
import { generation as sync_file_range } from "../sync_file_range/generate.ts";
import { effectsDuring } from "./operation.ts";
import type { DuringOperation, PausedWrite } from "./operation.ts";
import { type Draw, expand } from "../../draw/draw.ts";
import type { Space } from "../../draw/space.ts";

/** Operations during a pause. */
const DURING_COUNT_WEIGHTS: Weights<"none" | "one" | "two" | "three"> = {
  none: 10,
  one: 45,
  two: 30,
  three: 15,
};

const DURING_WEIGHTS: Weights<DuringOperation["op"]> = {
  fsync: 30,
  sync_file_range: 20,
  mmap_write: 25,
  pread: 8,
  drop_cache: 17,
};

/** Percent of the pauses after which the rest of the memory is taken away. */
const FAULT_AFTER_PAUSE_PERCENT = 35;

const counts = expand(DURING_COUNT_WEIGHTS);
const numbers = { none: 0, one: 1, two: 2, three: 3 };
const names = expand(DURING_WEIGHTS);

const generations: {
  readonly [N in DuringOperation["op"]]: Generation<Extract<DuringOperation, { op: N }>>;
} = { mmap_write, pread, fsync, sync_file_range, drop_cache };

const generationOf = ({ op }: DuringOperation): Generation<DuringOperation> => generations[op];

function isDuring(operation: { op: string }): operation is DuringOperation {
  return operation.op in generations;
}

/** Stores, reads and syncs meet the write more often than not. */
function drawDuring(draw: Draw, pos: number, len: number): DuringOperation {
  const how: Generation<DuringOperation> = generations[draw.pick(names)];
  const operation = how.generate(draw);
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
    for (const simpler of generationOf(one).simpler(one, space)) {
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

const pointsDuring = (one: DuringOperation): readonly number[] =>
  generationOf(one).points?.(one) ?? [];

function moveDuring(one: DuringOperation, move: Move): DuringOperation | undefined {
  const { move: how } = generationOf(one);
  return how === undefined ? one : how(one, move);
}

export const generation: Generation<PausedWrite> = {
  share: { recordable: 0, all: 2 },
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
    during.reduce((sum, one) => sum + generationOf(one).rank(one), 0),
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
  points: (o) => [...endsOf(o), o.pos + o.pause_at, ...o.during.flatMap(pointsDuring)],
  move(o, move) {
    const moved = moveRange(o, move);
    if (moved === undefined) return undefined;
    const pause_at = move(o.pos + o.pause_at) - moved.pos;
    const during = o.during.map((one) => moveDuring(one, move));
    if (pause_at < 0 || pause_at >= moved.len) return undefined;
    if (!during.every((one) => one !== undefined)) return undefined;
    return { ...moved, pause_at, during };
  },
  numbers: ({ pause_at, during }) => [
    pause_at,
    ...during.flatMap((one) => ("pos" in one ? [one.pos, one.len] : [])),
  ],
  cutAt: (o, cut) => ({ ...o, pause_at: cut, after: "fault" }),
  commitsInPassing: ({ during }) => during.some((one) => effectsDuring(one).syncsAll),
};
