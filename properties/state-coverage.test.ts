/**
 * What the cases of a run come across: a stated list of what each kind of operation must have met.
 * It takes no kernel, since what the model is in is what the kernel is in.
 */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { modelWith } from "../harness/lockstep/deviations.ts";
import { DEPTHS, STATES, kindOf, note } from "../harness/lockstep/statistics.ts";
import type { State, Statistics } from "../harness/lockstep/statistics.ts";
import { statisticsText } from "../harness/report/statistics.ts";
import { generatedCases } from "../harness/run/chunk.ts";
import { variantNamed } from "../harness/under-test/variants.ts";
import { knownDeviations } from "../model/deviations/index.ts";
import { settingOf } from "./settings.ts";

/** Cases of a default run on one variant, in two seconds and a half. */
const CASES = 2000;

const everything: readonly State[] = STATES;
const inside = STATES.filter((state) => state !== "past EOF");

/** What each kind must have met where allocation is delayed. */
const list: Readonly<Record<string, readonly State[]>> = {
  "write, whole": everything,
  "write, short": everything,
  "write, nothing to read": everything,
  "write, in pieces": everything,
  // It begins where the file ends: within a block, or past it.
  "write, append": ["delayed", "written", "unwritten", "several", "past EOF"],
  "write, synced": everything,
  "write, limited": everything,
  "write, not cached": everything,
  "write, paused": everything,
  // Of 16 seeds one has it miss an unwritten one.
  "write, paused and short": ["hole", "delayed", "written", "several", "past EOF"],
  "direct write, whole": everything,
  "direct write, short": everything,
  // It stays within a block, and is rare enough to miss an unwritten one.
  "direct write, unaligned": ["hole", "delayed", "written", "past EOF"],
  direct_read: everything,
  // Of the whole file: one that is unwritten from end to end is rare.
  unlink: ["hole", "delayed", "written", "several", "past EOF"],
  mmap_write: inside,
  pread: everything,
  fsync: ["hole", "delayed", "unwritten", "written", "several", "past EOF"],
  sync_file_range: everything,
  "sync_file_range, nowait": everything,
  drop_cache: ["hole", "delayed", "written", "several", "past EOF"],
  "truncate, shorter": inside,
  "truncate, longer": everything,
  allocate: everything,
  keep_size: everything,
  punch_hole: everything,
  zero_range: everything,
  zero_range_keep_size: everything,
  collapse_range: everything,
  insert_range: everything,
};

/** What the generated cases meet on the model of a kernel. */
function metOn(name: string, kernel: "6.18" | "series v2"): Statistics {
  const variant = variantNamed(name);
  const deviations = knownDeviations.filter(({ path }) => path !== "iomap");
  const model = modelWith(settingOf(variant, kernel).config, kernel === "6.18" ? deviations : []);
  const statistics: Statistics = {};
  const cases = fc.sample(generatedCases({ variant, maxLength: 200 }), { numRuns: CASES, seed: 7 });
  for (const operations of cases) {
    model.begin();
    for (const [index, operation] of operations.entries()) {
      note(statistics, operation, model.inode, index);
      model.apply(operation, index);
    }
  }
  return statistics;
}

/** What of the list was not met, as "kind|state". */
function missing(statistics: Statistics, states: (state: State) => boolean): string[] {
  return Object.entries(list).flatMap(([kind, wanted]) =>
    wanted
      .filter(states)
      .map((state) => `${kind}|${state}`)
      .filter((key) => statistics[key] === undefined),
  );
}

describe("the cases of a run meet what they must", () => {
  test.each([
    ["4k-delalloc", "6.18"],
    ["1k-delalloc", "6.18"],
    ["4k-delalloc", "series v2"],
    ["1k-delalloc", "series v2"],
  ] as const)("%s on %s", (variant, kernel) => {
    expect(missing(metOn(variant, kernel), () => true)).toEqual([]);
  });

  test.each(["6.18", "series v2"] as const)("4k-nodelalloc on %s, nothing delayed", (kernel) => {
    const statistics = metOn("4k-nodelalloc", kernel);
    expect(missing(statistics, (state) => state !== "delayed")).toEqual([]);
    expect(Object.keys(statistics).filter((key) => key.endsWith("|delayed"))).toEqual([]);
  });
});

test("4k-thin: the device has no room for what there is to be written, and for other things", () => {
  const met = metOn("4k-thin", "6.18");
  const unmet = (kind: string): State[] =>
    everything.filter((state) => met[`${kind}, no room|${state}`] === undefined);
  expect(unmet("fsync")).toEqual([]);
  expect(unmet("sync_file_range")).toEqual([]);
  // Of one block.
  expect(unmet("direct write, whole")).toEqual(["several"]);
});

test("a kind is met at every depth of a case, and as often as in all states together", () => {
  const met = metOn("4k-delalloc", "6.18");
  const total = (columns: readonly string[]): number =>
    columns.reduce((sum, column) => sum + (met[`write, whole|${column}`] ?? 0), 0);
  expect(DEPTHS.filter((depth) => met[`write, whole|${depth}`] === undefined)).toEqual([]);
  expect(total(DEPTHS)).toBe(total(STATES));
});

test("depths are told apart", () => {
  const write = { op: "pwrite", pos: 0, len: 8, readable: 8 } as const;
  const { config } = settingOf(variantNamed("4k-delalloc"), "6.18");
  const model = modelWith(config, []);
  model.begin();
  const at = [0, 1, 3, 4, 15, 16, 63, 64, 10_000].map((step) => {
    const statistics: Statistics = {};
    note(statistics, write, model.inode, step);
    return Object.keys(statistics)[1]!.split("|")[1];
  });
  expect(at).toEqual(["1", "2-4", "2-4", "5-16", "5-16", "17-64", "17-64", "65-", "65-"]);
});

test("the kinds of a write are told apart", () => {
  const write = { op: "pwrite" as const, pos: 0, len: 8, readable: 8 };
  expect(kindOf(write, 0)).toBe("write, whole");
  expect(kindOf({ ...write, readable: 7 }, 0)).toBe("write, short");
  expect(kindOf({ ...write, readable: 0 }, 0)).toBe("write, nothing to read");
  expect(kindOf({ ...write, iov: [1] }, 0)).toBe("write, in pieces");
});

test("the table has a row for each kind, and says what was never met", () => {
  expect(statisticsText({ "fsync|delayed": 1234, "mmap_write|hole": 5 })).toBe(
    [
      "what was met  hole  delayed  unwritten  written  several  past EOF",
      "fsync            -    1,234          -        -        -         -",
      "mmap_write       5        -          -        -        -         -",
      "",
    ].join("\n"),
  );
});
