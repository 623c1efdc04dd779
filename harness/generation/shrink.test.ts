import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  clampOperation,
  describeOperation,
  type Operation,
  operationsSchema,
} from "../operations/operation.ts";
import { operations } from "./operations.ts";

const BS = 4096;
const variant = { blockSize: BS, imageSize: 2 ** 28 } as const;
const arbitrary = operations({ variant, maxLength: 300 });

type Fails = (operations: readonly Operation[]) => boolean;

/** Shrink as fast-check does: begin again with the first candidate that fails. */
function minimise(from: Operation[], fails: Fails): { minimum: Operation[]; runs: number } {
  let value: fc.Value<Operation[]> = new fc.Value(from, undefined);
  let runs = 0;
  for (;;) {
    let next: fc.Value<Operation[]> | undefined;
    for (const candidate of arbitrary.shrink(value.value, value.context)) {
      runs++;
      expect(operationsSchema.safeParse(candidate.value).error).toBeUndefined();
      if (fails(candidate.value)) {
        next = candidate;
        break;
      }
    }
    if (next === undefined) return { minimum: value.value, runs };
    value = next;
  }
}

function lines(of: readonly Operation[]): string[] {
  return of.map(describeOperation);
}

/** The first generated case of each of `seeds` seeds that fails and has at least 15 operations. */
function failing(fails: Fails, seeds = 20): Operation[][] {
  const found: Operation[][] = [];
  for (let seed = 0; seed < seeds; seed++) {
    const first = fc
      .sample(arbitrary, { numRuns: 2000, seed })
      .find((s) => s.length >= 15 && fails(s));
    if (first !== undefined) found.push(first);
  }
  expect(found.length).toBeGreaterThan(seeds / 2);
  return found;
}

/**
 * The distinct minima that the failing cases of 20 seeds come down to, and the mean number of runs
 * that took.
 */
function minima(fails: Fails): { distinct: string[][]; runs: number } {
  const cases = failing(fails, 20).map((one) => minimise(one, fails));
  const texts = new Set(cases.map((c) => lines(c.minimum).join("\n")));
  const runs = cases.reduce((sum, c) => sum + c.runs, 0) / cases.length;
  return { distinct: [...texts].toSorted().map((t) => t.split("\n")), runs };
}

/** Blocks that a write of [pos, end) touches. */
function blocks(pos: number, end: number): number[] {
  const touched: number[] = [];
  for (let b = Math.floor(pos / BS); b * BS < end; b++) touched.push(b);
  return touched;
}

/**
 * A short write leaves a block behind that it newly reserved and never stored to, and an fsync
 * comes after.
 */
const leaksOnFsync: Fails = (sequence) => {
  const written = new Set<number>();
  let stale = false;
  for (const o of sequence) {
    if (o.op === "fsync" && stale) return true;
    if (o.op !== "pwrite") continue;
    const copied = new Set(blocks(o.pos, o.pos + o.readable));
    for (const b of blocks(o.pos, o.pos + o.len)) {
      if (!copied.has(b) && !written.has(b)) stale = true;
      if (copied.has(b)) written.add(b);
    }
  }
  return false;
};

/** As above, but the write stored something before it ended. */
const leaksAfterProgress: Fails = (sequence) =>
  leaksOnFsync(sequence.filter((o) => o.op !== "pwrite" || o.readable > 0));

/** A store through a mapping to a block that was written, synced, and lies behind a hole. */
const mappedOverwrite: Fails = (sequence) => {
  const written = new Set<number>();
  let synced = new Set<number>();
  let i_size = 0;
  for (const o of sequence) {
    const clamped = clampOperation(o, i_size);
    if (clamped === undefined) continue;
    if (clamped.op === "ftruncate") i_size = clamped.size;
    if (clamped.op === "pwrite" && clamped.readable > 0) {
      for (const b of blocks(clamped.pos, clamped.pos + clamped.readable)) written.add(b);
      i_size = Math.max(i_size, clamped.pos + clamped.readable);
    }
    if (clamped.op === "fsync" || clamped.op === "drop_cache") synced = new Set(written);
    if (clamped.op !== "mmap_write") continue;
    for (const b of blocks(clamped.pos, clamped.pos + clamped.len)) {
      if (synced.has(b) && b > 0 && !written.has(b - 1)) return true;
    }
  }
  return false;
};

/** A hole is punched right behind a write that does not lie at the start. */
const punchedBehind: Fails = (sequence) =>
  sequence.some(
    (a, i) =>
      a.op === "pwrite" &&
      a.pos > 2 * BS &&
      sequence
        .slice(i + 1)
        .some((b) => b.op === "fallocate" && b.mode === "punch_hole" && b.pos === a.pos + a.len),
  );

/** Fails in pairs: as many reads as cache drops. */
const balanced: Fails = (sequence) => {
  const count = (op: Operation["op"]): number => sequence.filter((o) => o.op === op).length;
  return count("drop_cache") > 0 && count("drop_cache") === count("pread");
};

describe("the minimum is reached", () => {
  test.each<[string, Fails, string[][]]>([
    [
      "a stale delayed block after a short write",
      leaksOnFsync,
      [["pwrite(pos=0, len=4096, readable=0)", "fsync()"]],
    ],
    [
      "one after a short write that had stored something",
      leaksAfterProgress,
      [["pwrite(pos=0, len=8192, readable=4096)", "fsync()"]],
    ],
    [
      "operations that only fail at the same place",
      mappedOverwrite,
      [["pwrite(pos=4096, len=4096)", "fsync()", "mmap_write(pos=4096, len=4096)"]],
    ],
    [
      "positions relative to one another, far out",
      punchedBehind,
      [["pwrite(pos=12288, len=4096)", "fallocate(punch_hole, pos=16384, len=4096)"]],
    ],
    [
      "a length that is needed to the block",
      (s) => s.some((o) => o.op === "pwrite" && o.len > 37 * BS && o.pos >= 5),
      [["pwrite(pos=4096, len=155648)"]],
    ],
    [
      "a write that goes past the largest file",
      (s) => s.some((o) => o.op === "pwrite" && o.pos + o.readable > (2 ** 32 - 1) * BS),
      [["pwrite(pos=17592186040320, len=4096)"]],
    ],
    [
      "odd numbers that are needed",
      (s) => s.some((o) => o.op === "pread" && o.pos % BS === 1),
      [["pread(pos=1, len=4096)"]],
    ],
    [
      "two operations that only go together",
      balanced,
      [
        ["drop_cache()", "pread(pos=0, len=4096)"],
        ["pread(pos=0, len=4096)", "drop_cache()"],
      ],
    ],
  ])("of %s", (_, fails, expected) => {
    const { distinct, runs } = minima(fails);
    expect(distinct).toEqual(expected);
    // Mean runs of the kernel to the end, the last pass that confirms the minimum included.
    expect(runs).toBeLessThan(200);
  });
});

describe("shrinking", () => {
  test("starts from values that were read from a file, and needs no context to reach the same end", () => {
    for (const one of failing(leaksOnFsync, 5)) {
      const stored: unknown = JSON.parse(JSON.stringify(one));
      if (!arbitrary.canShrinkWithoutContext(stored)) throw new Error("not shrinkable");
      expect(lines(minimise(stored, leaksOnFsync).minimum)).toEqual([
        "pwrite(pos=0, len=4096, readable=0)",
        "fsync()",
      ]);
    }
  });

  test("refuses values that are no operations", () => {
    for (const bad of [undefined, [{}], "fsync", [{ op: "fsync", pos: 1 }], [{ op: "rm" }]]) {
      expect(arbitrary.canShrinkWithoutContext(bad)).toBe(false);
    }
    const readable = [{ op: "pwrite", pos: 0, len: 1, readable: 2 }];
    expect(arbitrary.canShrinkWithoutContext(readable)).toBe(false);
  });

  test("offers valid cases only, each once, never the value itself", () => {
    for (const one of fc.sample(arbitrary, { numRuns: 25, seed: 5 })) {
      const seen = new Set([JSON.stringify(one)]);
      for (const candidate of arbitrary.shrink(one, undefined).take(500)) {
        const text = JSON.stringify(candidate.value);
        expect(seen.has(text)).toBe(false);
        seen.add(text);
        expect(operationsSchema.safeParse(candidate.value).error).toBeUndefined();
      }
    }
  });

  test("ends when everything fails: nothing is left", () => {
    const [one] = fc.sample(arbitrary, { numRuns: 1, seed: 9 });
    expect(minimise(one!, () => true).minimum).toEqual([]);
  });

  test("leaves a minimum alone", () => {
    const minimum: Operation[] = [{ op: "pwrite", pos: 0, len: BS, readable: 0 }, { op: "fsync" }];
    expect(minimise(minimum, leaksOnFsync).minimum).toEqual(minimum);
  });

  test("ends well under fast-check itself, and replays by seed and path", () => {
    const property = fc.property(arbitrary, (sequence) => !leaksOnFsync(sequence));
    const found = fc.check(property, { seed: 11, numRuns: 1000 });
    expect(lines(found.counterexample![0])).toEqual([
      "pwrite(pos=0, len=4096, readable=0)",
      "fsync()",
    ]);
    const again = fc.check(property, { seed: found.seed, path: found.counterexamplePath! });
    expect(again.counterexample).toEqual(found.counterexample);
  });
});
