/**
 * pwrite: whole, and ending short because the tail of its buffer is not mapped.
 */
import { endsOfReadable, moveReadable, simplerRange, smaller } from "../../aspects/generation.ts";
import type { Generation } from "../../aspects/generation.ts";
import type { Weights } from "../../draw/weights.ts";
import type { Pwrite } from "./operation.ts";
import { type Draw, expand } from "../../draw/draw.ts";
import type { Space } from "../../draw/space.ts";

/** Percent of the pwrites that end short, because the tail of their buffer is not mapped. */
export const SHORT_WRITE_PERCENT = 30;

/** Where a short write ends. `boundary` is a block boundary of the file, nudged. */
const READABLE_WEIGHTS: Weights<"nothing" | "boundary" | "anywhere"> = {
  nothing: 25,
  boundary: 60,
  anywhere: 15,
};

/** Percent of the writes, where everything is asked for, that ... */
const WRITE_EXTRA_PERCENT = {
  /** ... come in pieces. */
  iov: 12,
  /** ... go to the end of the file, wherever that is. */
  append: 7,
  /** ... are synced before they return, half of them only their data. */
  sync: 5,
  /** ... are not to be kept in memory, and are not synced. */
  dontcache: 6,
  /** ... meet the limit of the process, somewhere in the write or before it. */
  limit: 8,
} as const;

const readables = expand(READABLE_WEIGHTS);

/** Mapped bytes of a short write of [pos, pos + len): 0 to len - 1. */
export function shortReadable(draw: Draw, pos: number, len: number): number {
  switch (draw.pick(readables)) {
    case "nothing":
      return 0;
    case "boundary": {
      const { blockSize } = draw.space;
      const first = blockSize - (pos % blockSize);
      const boundaries = Math.floor(Math.max(0, len - first) / blockSize);
      const at = first + draw.between(0, boundaries) * blockSize;
      return Math.min(len - 1, draw.nudge(at, blockSize));
    }
    case "anywhere":
      return draw.between(0, len - 1);
  }
}

/**
 * The same operation with `len` bytes, ending short by as much as before where that is possible.
 */
function withLength(operation: Pwrite, len: number): Pwrite {
  const missing = operation.len - operation.readable;
  return { ...operation, len, readable: Math.max(0, len - missing) };
}

function* simplerShort(operation: Pwrite, space: Space): Generator<Pwrite> {
  const { len, readable } = operation;
  const unit = space.blockSize;
  yield { ...operation, readable: len };
  yield { ...operation, pos: 0, len: unit, readable: 0 };
  yield { ...operation, len: unit, readable: 0 };
  yield { ...operation, pos: 0, len: 2 * unit, readable: unit };
  yield { ...operation, len: 2 * unit, readable: unit };
  // The write that a caller saw: only as long as it got.
  if (readable > 0) yield { ...operation, len: readable };
  for (const shorter of smaller(len, 1, unit)) {
    yield withLength(operation, shorter);
    yield { ...operation, len: shorter, readable: Math.min(readable, shorter) };
  }
  for (const fewer of smaller(readable, 0, unit)) {
    if (fewer <= len) yield { ...operation, readable: fewer };
  }
  // Both ends on block boundaries of the file rather than of the buffer.
  const start = Math.floor(operation.pos / unit) * unit;
  const middle = Math.floor((operation.pos + readable) / unit) * unit;
  const end = Math.ceil((operation.pos + len) / unit) * unit;
  yield { ...operation, pos: start, len: end - start, readable: Math.max(0, middle - start) };
  yield { ...operation, pos: start, len: end - start, readable: 0 };
}

/** Lengths of up to three pieces, often cut where blocks are, one of them sometimes empty. */
function drawPieces(draw: Draw, pos: number, len: number): number[] {
  const { blockSize } = draw.space;
  let left = len;
  return Array.from({ length: draw.between(1, 3) }, () => {
    const toBoundary = blockSize - ((pos + len - left) % blockSize);
    const length = draw.percent(50) ? toBoundary : draw.between(0, left);
    const piece = Math.min(left, length);
    left -= piece;
    return piece;
  });
}

/** What makes more of a write than pwrite(2) does; most have nothing of it. */
function drawExtras(draw: Draw, pos: number, len: number): Partial<Pwrite> {
  const extras: Partial<Pwrite> = {};
  if (draw.percent(WRITE_EXTRA_PERCENT.iov)) extras.iov = drawPieces(draw, pos, len);
  if (draw.percent(WRITE_EXTRA_PERCENT.append)) extras.append = true;
  // One draw for both: a case without RWF_DONTCACHE is what its seed gave before there was that.
  const writesBack = draw.between(0, 99);
  if (writesBack < WRITE_EXTRA_PERCENT.sync) extras.sync = draw.percent(50) ? "data" : "all";
  if (writesBack >= 100 - WRITE_EXTRA_PERCENT.dontcache) extras.dontcache = true;
  if (draw.percent(WRITE_EXTRA_PERCENT.limit)) {
    extras.limit = draw.nudge(pos + draw.between(0, len), draw.space.blockSize);
  }
  return extras;
}

/** The same write with less that is special about it. */
function* plainer({ iov, append, sync, dontcache, limit, ...plain }: Pwrite): Generator<Pwrite> {
  const extras = { iov, append, sync, dontcache, limit };
  const keys = (["iov", "append", "sync", "dontcache", "limit"] as const).filter(
    (key) => extras[key] !== undefined,
  );
  if (keys.length === 0) return;
  yield plain;
  for (const key of keys) {
    const fewer = keys.filter((other) => other !== key);
    yield { ...plain, ...Object.fromEntries(fewer.map((other) => [other, extras[other]])) };
  }
  if (sync === "data") yield { ...plain, ...extras, sync: "all" };
  if (iov !== undefined && iov.length > 1) {
    for (const i of iov.keys()) yield { ...plain, ...extras, iov: iov.toSpliced(i, 1) };
  }
}

/** What there is to know about a write besides that it is one. */
const extrasOf = ({ iov = [], append, sync, dontcache, limit }: Pwrite): number =>
  iov.length +
  (append === undefined ? 0 : 1) +
  (dontcache === undefined ? 0 : 1) +
  (sync === undefined ? 0 : sync === "all" ? 1 : 2) +
  (limit === undefined ? 0 : 1);

export const generation: Generation<Pwrite> = {
  share: { recordable: 42, all: 35 },
  generate(draw) {
    draw.range();
    const { pos, len } = draw;
    const readable = draw.percent(SHORT_WRITE_PERCENT) ? shortReadable(draw, pos, len) : len;
    const write = { op: "pwrite" as const, pos, len, readable };
    return draw.everything ? { ...write, ...drawExtras(draw, pos, len) } : write;
  },
  rank: (operation) => (operation.readable === operation.len ? 2 : 3) + extrasOf(operation),
  *simpler(operation, space) {
    yield* plainer(operation);
    if (operation.readable < operation.len) {
      yield* simplerShort(operation, space);
      for (const pos of smaller(operation.pos, 0, space.blockSize)) yield { ...operation, pos };
      return;
    }
    for (const whole of simplerRange(operation, space)) yield { ...whole, readable: whole.len };
  },
  points: (o) => (o.limit === undefined ? endsOfReadable(o) : [...endsOfReadable(o), o.limit]),
  move(o, move) {
    const moved = moveReadable(o, move);
    if (moved === undefined || o.limit === undefined) return moved;
    return { ...moved, limit: move(o.limit) };
  },
  numbers: ({ iov = [], limit }) => (limit === undefined ? iov : [...iov, limit]),
  cutAt: (o, cut) => ({ ...o, readable: cut }),
  joinedWith(first, next) {
    if (next.op !== "pwrite") return undefined;
    const second = next as Pwrite;
    if (first.readable < first.len || first.pos + first.len !== second.pos) return undefined;
    const len = first.len + second.len;
    return { ...first, len, readable: first.len + second.readable };
  },
  allocation: ({ pos, len, readable }) =>
    readable < len ? undefined : { op: "fallocate", mode: "allocate", pos, len },
  commitsInPassing: ({ sync }) => sync !== undefined,
};
