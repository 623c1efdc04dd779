/**
 * Cases as files of operations of fsx, read as fsx reads them (ltp/fsx.c of xfstests, read_op() and
 * test()), with the size that the file has by them.
 */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UsageError } from "../case/failure.ts";
import type { DivergenceKind } from "../finding/divergence.ts";
import { operations } from "../generation/operations.ts";
import { describeOperation } from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";
import type { Counterexample } from "../stored/counterexample.ts";
import { variantNamed } from "../under-test/variants.ts";
import { asFsx } from "./fsx.ts";
import { symptomOf } from "./symptom.ts";

const RUNNING = "6.18.44";

function caseOf(name: string, list: Operation[], kind?: DivergenceKind): Counterexample {
  const divergence = kind && { step: list.length - 1, kind, message: "what was seen" };
  return {
    format: "ext4-conform counterexample",
    version: 1,
    variant: variantNamed(name),
    ...(divergence && { divergence }),
    operations: list,
  };
}

/** What an operation makes of the size of the file; offset and length, and where to. */
type Size = (size: number, at: number, len: number, to: number) => number;

const same: Size = (size) => size;
const grown: Size = (size, at, len) => Math.max(size, at + len);

/** What may be in a line, and what it does to the size without `keep_size`. */
const NAMES: Readonly<Record<string, { numbers: number; size: Size; keeps?: true }>> = {
  read: { numbers: 3, size: same },
  write: { numbers: 3, size: grown },
  write_dontcache: { numbers: 3, size: grown },
  mapwrite: { numbers: 3, size: grown },
  truncate: { numbers: 3, size: (_, __, len) => len },
  fallocate: { numbers: 3, size: grown, keeps: true },
  punch_hole: { numbers: 3, size: same },
  zero_range: { numbers: 3, size: grown, keeps: true },
  collapse_range: { numbers: 3, size: (size, _, len) => size - len },
  insert_range: { numbers: 3, size: (size, _, len) => size + len },
  copy_range: { numbers: 4, size: (size, _, len, to) => Math.max(size, to + len) },
  fsync: { numbers: 3, size: same },
};

/**
 * Bytes of the buffer into which fsx reads a line, with what ends it: the rest would be another.
 */
const LINE_BYTES = 256;

/** What fsx would make of it: the file's size at the end. Throws where it would stop. */
function played(text: string): number {
  let size = 0;
  const length = Number(/^# fsx -l (\d+) /m.exec(text)![1]);
  for (const line of text.split("\n")) {
    expect(Buffer.byteLength(line) + 2).toBeLessThanOrEqual(LINE_BYTES);
    if (line === "" || line.startsWith("#")) continue;
    const [name, ...words] = line.split(" ");
    const { numbers, size: becomes, keeps } = NAMES[name!]!;
    const values = words.slice(0, numbers).map((word) => {
      expect(word).toMatch(/^0x(?:0|[1-9a-f][\da-f]*)$/);
      return Number(word);
    });
    const flags = words.slice(numbers);
    expect(flags).toEqual(flags.length === 0 || keeps !== true ? [] : ["keep_size"]);
    const [at, len, to] = values as [number, number, number];
    expect(values).toHaveLength(numbers);
    expect(values.at(-1)).toBe(size);
    // What lies past EOF it reads and punches elsewhere.
    const isInside = (name !== "read" && name !== "punch_hole") || at + len <= size;
    expect(isInside).toBe(true);
    if (flags.length === 0) size = becomes(size, at, len, to);
    expect(size).toBeLessThanOrEqual(length);
  }
  return size;
}

function written(counterexample: Counterexample): string | UsageError {
  try {
    return asFsx(counterexample, RUNNING);
  } catch (error) {
    if (error instanceof UsageError) return error;
    throw error;
  }
}

const write: Operation = { op: "pwrite", pos: 5000, len: 3000, readable: 3000 };
const fsync: Operation = { op: "fsync" };

test("every call that fsx has", async () => {
  const list: Operation[] = [
    write,
    { ...write, dontcache: true },
    { op: "mmap_write", pos: 100, len: 10_000 },
    fsync,
    { op: "fallocate", mode: "allocate", pos: 8192, len: 8192 },
    { op: "fallocate", mode: "keep_size", pos: 8192, len: 65_536 },
    { op: "fallocate", mode: "punch_hole", pos: 4096, len: 4096 },
    { op: "fallocate", mode: "zero_range", pos: 4096, len: 65_536 },
    { op: "fallocate", mode: "zero_range_keep_size", pos: 4096, len: 131_072 },
    { op: "fallocate", mode: "collapse_range", pos: 4096, len: 4096 },
    { op: "fallocate", mode: "insert_range", pos: 4096, len: 4096 },
    { op: "copy_range", pos: 0, to_pos: 80_000, len: 5000 },
    { op: "ftruncate", size: 300_000 },
    { op: "pread", pos: 290_000, len: 20_000 },
    { op: "pread", pos: 400_000, len: 1 },
  ];
  const text = asFsx(caseOf("4k-delalloc", list), RUNNING);
  await expect(text).toMatchFileSnapshot("goldens/every-call.fsxops");
  expect(played(text)).toBe(300_000);
});

describe("what is refused", () => {
  const paused = { op: "paused_write", pos: 0, len: 4096, pause_at: 1, during: [], after: "fault" };
  const refused: [string, Operation[], DivergenceKind?][] = [
    ["fsx writes from memory that it can read", [{ ...write, readable: 0 }]],
    ["fsx writes in one piece, without flags and limits", [{ ...write, sync: "data" }]],
    [
      "fsx syncs at once what it stores through a mapping",
      [write, { op: "mmap_write", pos: 0, len: 1 }],
    ],
    [
      "fsx punches no hole past EOF",
      [write, { op: "fallocate", mode: "punch_hole", pos: 0, len: 8192 }],
    ],
    ["fsx copies only what is there", [write, { op: "copy_range", pos: 0, to_pos: 0, len: 9000 }]],
    [
      "fsx ends at a call that fails",
      [write, { op: "fallocate", mode: "collapse_range", pos: 0, len: 8192 }],
    ],
    ["fsx has one file", [write, { ...write, file: 1 }]],
    ["fsx stops in the middle of no write", [paused as Operation]],
    ["fsx has one file, to the end", [write, { op: "unlink" }]],
    ["fsx drops nothing from the page cache", [write, { op: "drop_cache" }]],
    ["fsx has no sync_file_range", [write, { op: "sync_file_range", pos: 0, len: 1 }]],
    ["fsx keeps the whole file in memory", [{ ...write, pos: 2 ** 31 }]],
    ["only a kernel built with fault injection", [{ ...write, fail_nth: 1 }]],
    ["and not what this is about: reserved", [write], "reserved"],
    ["and not what this is about: map", [write], "map"],
    ["fsx looks at the file as it is mounted", [write, fsync], "contents"],
    ["fsx looks at the file as it is mounted", [write, fsync], "e2fsck"],
    ["fsx looks at the file as it is mounted", [write, fsync], "power-cut"],
  ];

  test.each(refused)("%s", (why, list, kind) => {
    const said = written(caseOf("4k-delalloc", list, kind));
    expect(said).toBeInstanceOf(UsageError);
    expect(String(said)).toContain(`cannot be written as operations of fsx: `);
    expect(String(said)).toContain(why);
  });

  test("a file that is older than an option of its mount", () => {
    expect(String(written(caseOf("4k-remounted", [write])))).toContain("older than an option");
  });
});

test.each(["4k-delalloc", "1k-nodelalloc"])(
  "whatever is generated for %s is read by fsx",
  (name) => {
    const variant = variantNamed(name);
    let texts = 0;
    const check = (list: Operation[]): void => {
      const one = caseOf(name, list);
      const text = written(one);
      if (text instanceof UsageError) return;
      texts++;
      expect(played(text)).toBe(symptomOf(one, RUNNING).file!.i_size);
      expect(text.match(/^# \d+: /gm)).toHaveLength(list.map(describeOperation).length);
    };
    fc.assert(fc.property(operations({ variant, maxLength: 5 }), check), {
      numRuns: 200,
      seed: 19,
    });
    expect(texts).toBeGreaterThan(20);
  },
);
