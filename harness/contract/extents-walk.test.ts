import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { BlockRange, Extent } from "../case/observation.ts";
import { firstRun, firstVisibleRun, indexAfter, patch } from "./step/extents-walk.ts";
import type { BlockState, Change } from "./step/extents-walk.ts";

const BLOCKS = 24;
const states = ["hole", "delayed", "unwritten", "written"] as const;

/** A map of a few blocks, as one state a block and as a list of extents. */
const blocks = fc.array(fc.constantFrom<BlockState>(...states), {
  minLength: BLOCKS,
  maxLength: BLOCKS,
});

function extentsOf(list: readonly BlockState[], from = 0, end = list.length): Extent[] {
  const extents: Extent[] = [];
  for (let lblk = from; lblk < end; lblk++) {
    const state = list[lblk]!;
    if (state === "hole") continue;
    const last = extents.at(-1);
    if (last?.state === state && last.lblk + last.len === lblk) last.len += 1;
    else extents.push({ lblk, len: 1, state });
  }
  return extents;
}

function blocksOf(extents: readonly Extent[]): BlockState[] {
  const list: BlockState[] = Array.from({ length: BLOCKS }, () => "hole");
  for (const { lblk, len, state } of extents) list.fill(state, lblk, lblk + len);
  return list;
}

const range = fc
  .tuple(fc.nat(BLOCKS), fc.nat(BLOCKS))
  .map(([a, b]): BlockRange => ({ lblk: Math.min(a, b), end: Math.max(a, b) }));

/** Sorted ranges that do not touch. */
const windowList = fc
  .uniqueArray(fc.nat(BLOCKS), { minLength: 2, maxLength: 6 })
  .map((edges) => edges.toSorted((a, b) => a - b))
  .map((edges) =>
    Array.from({ length: Math.floor(edges.length / 2) }, (_, i) => ({
      lblk: edges[2 * i]!,
      end: edges[2 * i + 1]!,
    })),
  );

const became: Change = (now, was) => now === "delayed" && was !== "delayed";

function naiveRun(now: BlockState[], was: BlockState[], { lblk, end }: BlockRange) {
  const is = (at: number): boolean => at < end && became(now[at]!, was[at]!);
  for (let at = lblk; at < end; at++) {
    if (!is(at)) continue;
    let last = at;
    while (is(last)) last += 1;
    return { lblk: at, end: last };
  }
  return undefined;
}

describe("walks", () => {
  test("firstRun finds what looking at every block finds", () => {
    fc.assert(
      fc.property(blocks, blocks, range, (now, was, where) => {
        const run = firstRun(extentsOf(now), extentsOf(was), where.lblk, where.end, became);
        expect(run).toEqual(naiveRun(now, was, where));
      }),
      { numRuns: 2000 },
    );
  });

  test("firstRun ends where the lists do", () => {
    const one: Extent[] = [{ lblk: 3, len: 2, state: "delayed" }];
    expect(firstRun(one, [], 0, Infinity, became)).toEqual({ lblk: 3, end: 5 });
    expect(firstRun([], one, 0, Infinity, became)).toBeUndefined();
  });

  test("firstVisibleRun looks at windows only", () => {
    const now: Extent[] = [{ lblk: 0, len: 10, state: "delayed" }];
    const windows = [
      { lblk: 0, end: 1 },
      { lblk: 4, end: 6 },
    ];
    expect(firstVisibleRun(windows, now, [], 1, Infinity, became)).toEqual({ lblk: 4, end: 6 });
    expect(firstVisibleRun(windows, now, [], 6, Infinity, became)).toBeUndefined();
  });

  test("indexAfter finds the first extent that ends after a block", () => {
    fc.assert(
      fc.property(blocks, fc.nat(BLOCKS), (list, lblk) => {
        const extents = extentsOf(list);
        const found = extents.findIndex((e) => e.lblk + e.len > lblk);
        expect(indexAfter(extents, lblk)).toBe(found < 0 ? extents.length : found);
      }),
    );
  });

  test("patch puts in what windows show, and leaves the rest", () => {
    fc.assert(
      fc.property(blocks, blocks, windowList, (was, now, windows) => {
        const known = extentsOf(was);
        patch(
          known,
          windows,
          windows.flatMap(({ lblk, end }) => extentsOf(now, lblk, end)),
        );
        const expected = was.map((state, at) =>
          windows.some(({ lblk, end }) => lblk <= at && at < end) ? now[at]! : state,
        );
        expect(blocksOf(known)).toEqual(expected);
        expect(known.every(({ len }) => len > 0)).toBe(true);
        const sorted = known.every(
          (e, i) => i === 0 || known[i - 1]!.lblk + known[i - 1]!.len <= e.lblk,
        );
        expect(sorted).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  test("patch does not change what it was given", () => {
    const shown: Extent[] = [{ lblk: 0, len: 4, state: "written" }];
    const known = [...shown];
    patch(known, [{ lblk: 1, end: 2 }], []);
    expect(known).toEqual([
      { lblk: 0, len: 1, state: "written" },
      { lblk: 2, len: 2, state: "written" },
    ]);
    expect(shown).toEqual([{ lblk: 0, len: 4, state: "written" }]);
  });
});
