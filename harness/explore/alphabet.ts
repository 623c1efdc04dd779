/**
 * Alphabets: the operations that an exploration tries in every state of a file of a few blocks.
 *
 * Positions and lengths are those at which something may change: the boundaries of blocks, and in
 * `bytes` one byte beside them too. A write is tried whole and cut at each of them. What would make
 * the file longer than its few blocks is not tried (`fits`).
 */
import { UsageError } from "../case/failure.ts";
import { noSuch } from "../text/no-such.ts";
import { effectsOf, meetsDevice, movesBlocks } from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";

/** By name, with what each is for. */
export const ALPHABETS = {
  blocks: "everything, from block boundary to block boundary",
  bytes: "everything, also one byte beside the boundaries",
  unsynced: "as blocks, without what waits for the device",
} as const;
export type AlphabetName = keyof typeof ALPHABETS;

/** The alphabet of this name. Throws UsageError where there is none, and says which there are. */
export function alphabetName(name: string): AlphabetName {
  if (Object.hasOwn(ALPHABETS, name)) return name as AlphabetName;
  throw new UsageError(noSuch("alphabet", name, Object.keys(ALPHABETS)));
}

type Range = readonly [start: number, end: number];

function rangesBetween(points: readonly number[]): Range[] {
  return points.flatMap((start) =>
    points.filter((end) => end > start).map((end) => [start, end] as const),
  );
}

/** Multiples of a block up to `blocks` of them, and what is `beside` bytes from one. */
function pointsOf(blocks: number, blockSize: number, beside: number): number[] {
  const points = Array.from({ length: blocks + 1 }, (_, i) => i * blockSize);
  const near = beside === 0 ? [0] : [-beside, 0, beside];
  return points
    .flatMap((point) => near.map((by) => point + by))
    .filter((point) => point >= 0 && point <= blocks * blockSize);
}

/** The write of a range, whole, and cut at each of the points. */
function writesOf([pos, end]: Range, points: readonly number[]): Operation[] {
  const len = end - pos;
  return points
    .filter((point) => point >= pos && point <= end)
    .map((point): Operation => ({ op: "pwrite", pos, len, readable: point - pos }));
}

/** What is done to ranges that may begin and end anywhere. */
function onBytes([pos, end]: Range): Operation[] {
  const len = end - pos;
  return [
    { op: "mmap_write", pos, len },
    { op: "fallocate", mode: "punch_hole", pos, len },
    { op: "fallocate", mode: "zero_range", pos, len },
    { op: "fallocate", mode: "zero_range_keep_size", pos, len },
  ];
}

/** What goes by whole blocks, whatever it is asked for. */
function onBlocks([pos, end]: Range): Operation[] {
  const len = end - pos;
  return [
    { op: "pread", pos, len },
    { op: "fallocate", mode: "allocate", pos, len },
    { op: "fallocate", mode: "keep_size", pos, len },
    { op: "fallocate", mode: "collapse_range", pos, len },
    { op: "fallocate", mode: "insert_range", pos, len },
  ];
}

/** The operations of an alphabet on a file of `blocks` blocks of `blockSize` bytes. */
export function alphabetOf(name: AlphabetName, blocks: number, blockSize: number): Operation[] {
  const points = pointsOf(blocks, blockSize, name === "bytes" ? 1 : 0);
  const whole = rangesBetween(pointsOf(blocks, blockSize, 0));
  const ranges = rangesBetween(points);
  const all: Operation[] = [
    ...ranges.flatMap((range) => writesOf(range, points)),
    ...ranges.flatMap(onBytes),
    ...whole.flatMap(onBlocks),
    ...points.map((size): Operation => ({ op: "ftruncate", size })),
    { op: "fsync" },
    { op: "drop_cache" },
    ...whole.map(([pos, end]): Operation => ({ op: "sync_file_range", pos, len: end - pos })),
    ...whole.map(([pos, end]): Operation => {
      return { op: "direct_write", pos, len: end - pos, readable: end - pos };
    }),
  ];
  // What moves blocks writes them back first.
  return name === "unsynced" ? all.filter((one) => !meetsDevice(one) && !movesBlocks(one)) : all;
}

/**
 * Whether the operation keeps a file whose last byte or block ends at `end` within `most` bytes.
 */
export function fits(operation: Operation, end: number, most: number): boolean {
  const by = effectsOf(operation).movesBy?.(operation) ?? 0;
  return by <= 0 || end + by <= most;
}
