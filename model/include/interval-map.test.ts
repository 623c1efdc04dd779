import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { IntervalMap } from "./interval-map.ts";

/** Keys lie in [0, CELLS] before anything is inserted. */
const CELLS = 24;

/** Many cells, one value or none each: what an IntervalMap stands for. */
type Cells = (string | undefined)[];

/** A value that carries what `same` does not look at, so that merging by `same` shows. */
interface Tagged {
  tag: string;
}

const sameTag = (a: Tagged, b: Tagged): boolean => a.tag === b.tag;

type Change =
  | { op: "set"; start: number; end: number; tag: string }
  | { op: "delete" | "collapse"; start: number; end: number }
  | { op: "insert"; start: number; len: number }
  | { op: "clear" };

const key = fc.nat(CELLS);
const range = { start: key, end: key };
const tag = fc.constantFrom("a", "b");

const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ op: fc.constant("set" as const), ...range, tag }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant("delete" as const), ...range }) },
  {
    weight: 2,
    arbitrary: fc
      .record({ op: fc.constant("collapse" as const), ...range })
      .filter(({ start, end }) => start <= end),
  },
  {
    weight: 2,
    arbitrary: fc.record({ op: fc.constant("insert" as const), start: key, len: fc.nat(6) }),
  },
  { weight: 1, arbitrary: fc.constant({ op: "clear" as const }) },
);
const changes = fc.array(change, { maxLength: 30 });

function applyToMap(map: IntervalMap<Tagged>, change: Change): void {
  switch (change.op) {
    case "set":
      map.set(change.start, change.end, { tag: change.tag });
      return;
    case "delete":
      map.delete(change.start, change.end);
      return;
    case "collapse":
      map.collapse(change.start, change.end);
      return;
    case "insert":
      map.insert(change.start, change.len);
      return;
    case "clear":
      map.clear();
      return;
  }
}

function applyToCells(cells: Cells, change: Change): void {
  switch (change.op) {
    case "set":
    case "delete": {
      const value = change.op === "set" ? change.tag : undefined;
      for (let i = change.start; i < change.end; i++) cells[i] = value;
      return;
    }
    case "collapse":
      cells.splice(change.start, change.end - change.start);
      return;
    case "insert": {
      while (cells.length < change.start) cells.push(undefined);
      cells.splice(change.start, 0, ...Array.from({ length: change.len }, () => undefined));
      return;
    }
    case "clear":
      cells.length = 0;
      return;
  }
}

/** The runs of equal cells in [start, end): what a map that merges must list. */
function runs(cells: Cells, start = 0, end = cells.length): [number, number, string][] {
  const found: [number, number, string][] = [];
  for (let i = start; i < Math.min(end, cells.length); i++) {
    const value = cells[i];
    if (value === undefined) continue;
    const last = found.at(-1);
    if (last !== undefined && last[1] === i && last[2] === value) last[1] = i + 1;
    else found.push([i, i + 1, value]);
  }
  return found;
}

function listed(intervals: Iterable<{ start: number; end: number; value: Tagged }>) {
  return [...intervals].map(({ start, end, value }) => [start, end, value.tag]);
}

/** A map and the cells it stands for, after the same changes. */
function both(list: readonly Change[]): { map: IntervalMap<Tagged>; cells: Cells } {
  const map = new IntervalMap<Tagged>(sameTag);
  const cells: Cells = [];
  for (const one of list) {
    applyToMap(map, one);
    applyToCells(cells, one);
  }
  return { map, cells };
}

describe("IntervalMap against an array of cells", () => {
  test("after any changes the intervals are the runs of equal cells: sorted, apart, not empty, merged", () => {
    fc.assert(
      fc.property(changes, (list) => {
        const map = new IntervalMap<Tagged>(sameTag);
        const cells: Cells = [];
        for (const one of list) {
          applyToMap(map, one);
          applyToCells(cells, one);
          const expected = runs(cells);
          expect(listed(map)).toEqual(expected);
          expect(map.size).toBe(expected.length);
          expect(map.end).toBe(expected.at(-1)?.[1] ?? 0);
          expect(map.covered).toBe(cells.filter((value) => value !== undefined).length);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("find, get, next and indexAfter agree with a search from the start", () => {
    fc.assert(
      fc.property(changes, fc.nat(CELLS + 8), (list, at) => {
        const { map, cells } = both(list);
        const all = runs(cells);
        const next = all.findIndex(([, end]) => end > at);
        const holds = all.find(([start, end]) => start <= at && at < end);
        const found = map.find(at);
        expect(found && [found.start, found.end, found.value.tag]).toEqual(holds);
        expect(map.get(at)?.tag).toBe(cells[at]);
        expect(map.indexAfter(at)).toBe(next < 0 ? all.length : next);
        const after = map.next(at);
        expect(after && [after.start, after.end, after.value.tag]).toEqual(all[next]);
      }),
      { numRuns: 2000 },
    );
  });

  test("within lists what lies in the range, clipped to it", () => {
    fc.assert(
      fc.property(changes, fc.nat(CELLS + 8), fc.nat(CELLS + 8), (list, start, end) => {
        const { map, cells } = both(list);
        expect(listed(map.within(start, end))).toEqual(runs(cells, start, end));
      }),
      { numRuns: 2000 },
    );
  });

  test("a clone is equal, merges by the same rule, and goes its own way", () => {
    fc.assert(
      fc.property(changes, changes, (list, more) => {
        const { map, cells } = both(list);
        const copy = map.clone();
        for (const one of more) {
          applyToMap(copy, one);
          applyToCells(cells, one);
        }
        expect(listed(copy)).toEqual(runs(cells));
        expect(copy.covered).toBe(cells.filter((value) => value !== undefined).length);
        expect(listed(map)).toEqual(runs(both(list).cells));
      }),
      { numRuns: 1000 },
    );
  });
});

describe("IntervalMap", () => {
  test("without a rule of its own merges identical values only", () => {
    const map = new IntervalMap<object>();
    const value = {};
    map.set(0, 1, value);
    map.set(1, 2, value);
    map.set(2, 3, {});
    expect([...map].map(({ start, end }) => [start, end])).toEqual([
      [0, 2],
      [2, 3],
    ]);
  });

  test("a set in the middle keeps both ends", () => {
    const map = new IntervalMap<string>();
    map.set(0, 10, "a");
    map.set(4, 6, "b");
    expect([...map]).toEqual([
      { start: 0, end: 4, value: "a" },
      { start: 4, end: 6, value: "b" },
      { start: 6, end: 10, value: "a" },
    ]);
  });

  test("collapse joins what comes to lie side by side", () => {
    const map = new IntervalMap<string>();
    map.set(0, 2, "a");
    map.set(2, 4, "b");
    map.set(4, 6, "a");
    map.collapse(2, 4);
    expect([...map]).toEqual([{ start: 0, end: 4, value: "a" }]);
  });

  test("keys reach as far as the largest file's bytes", () => {
    const map = new IntervalMap<string>();
    map.set(0, 2 ** 44, "a");
    map.delete(2 ** 32, 2 ** 32 + 1);
    expect([...map.within(2 ** 32 - 1, Infinity)]).toEqual([
      { start: 2 ** 32 - 1, end: 2 ** 32, value: "a" },
      { start: 2 ** 32 + 1, end: 2 ** 44, value: "a" },
    ]);
  });
});
