/**
 * The sequences that `npm run bench` measures, as data. The mixed one is stored (bench-mixed.jsonl,
 * a case a line), so that a change of the generators does not change what is measured.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { operationsSchema } from "../harness/operations/operation.ts";
import type { Operation } from "../harness/operations/operation.ts";
import { packageRoot } from "../harness/host/package.ts";

export interface Sequence {
  name: string;
  /** Performed on each case's file before the clock starts. */
  before?: readonly Operation[];
  cases: readonly (readonly Operation[])[];
}

const KIB = 2 ** 10;
const MIB = 2 ** 20;
const TIB = 2 ** 40;
const BLOCK = 4 * KIB;
const CHUNK = 64 * KIB;

const write = (pos: number, len = BLOCK): Operation => ({ op: "pwrite", pos, len, readable: len });

/** `count` writes of 4 KiB at the positions that `at` gives, every tenth operation an fsync. */
function writes(count: number, at: (i: number) => number): Operation[] {
  return Array.from({ length: count }, (_, i) => (i % 10 === 9 ? { op: "fsync" } : write(at(i))));
}

/** What generated cases are like: a hundred, as drawn for 4k-delalloc with seed 1. */
export function mixed(): Sequence {
  const text = readFileSync(join(packageRoot, "ci", "bench-mixed.jsonl"), "utf8").trimEnd();
  const cases = text.split("\n").map((line) => operationsSchema.parse(JSON.parse(line)));
  return { name: "mixed", cases };
}

/** The same without calls that programs cannot make (dd-subject.ts), a few cases of it. */
export function faultFree(supports: (operation: Operation) => boolean): Sequence {
  const cases = mixed()
    .cases.map((operations) => operations.filter(supports))
    .filter(({ length }) => length >= 5 && length <= 20);
  return { name: "mixed, without faults", cases: cases.slice(0, 3) };
}

/**
 * 4 KiB writes into 1 MiB with an fsync every tenth operation: the goal of 20,000 operations a
 * second.
 */
export const writesAndFsync: Sequence = {
  name: "4 KiB writes, fsync every 10th",
  cases: [writes(1000, (i) => (i % 256) * BLOCK)],
};

/** Cases of `length` operations, as many as make a thousand. */
function lengths(name: string, length: number, at: (i: number) => number): Sequence {
  const operations = writes(length, at);
  const cases = Array.from({ length: Math.max(1, 1000 / length) }, () => operations);
  return { name: `${length} operations, ${name}`, cases };
}

/** A file of `size` bytes, written and synced, in folios of 64 KiB whatever its size. */
function written(size: number): Operation[] {
  const chunks = Array.from({ length: size / CHUNK }, (_, i) => write(i * CHUNK, CHUNK));
  return [...chunks, { op: "fsync" }];
}

/** The writes between two fsyncs lie in one chunk, each time in another. */
function overAll(i: number, size: number): number {
  // 7919 is a prime: the chunks come in no order, and all of them do.
  const chunk = (Math.floor(i / 10) * 7919) % (size / CHUNK);
  return chunk * CHUNK + (i % 10) * BLOCK;
}

const LENGTHS = [10, 100, 1000, 10_000];

/** Groups of sequences; within a group an operation should cost the same. */
export const scaling: readonly (readonly Sequence[])[] = [
  LENGTHS.map((length) => lengths("appending", length, (i) => i * BLOCK)),
  LENGTHS.map((length) => lengths("each an extent more", length, (i) => i * 3 * BLOCK)),
  [
    ["near 0", 0],
    ["near 1 TiB", TIB],
    ["near 16 TiB", 16 * TIB - 2 * MIB],
  ].map(([where, base]) => ({
    name: `1000 operations ${where}`,
    cases: [writes(1000, (i) => (base as number) + (i % 256) * BLOCK)],
  })),
  [64 * KIB, 16 * MIB, 256 * MIB].map((size) => ({
    name: `1000 operations in a file of ${size / KIB} KiB`,
    before: written(size),
    cases: [writes(1000, (i) => overAll(i, size))],
  })),
];
