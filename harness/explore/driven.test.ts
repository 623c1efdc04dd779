import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { testSeed } from "../../properties/seed.ts";
import { EdgeSet, packEdges, unpackEdges } from "./driven.ts";

const SIZE = 100;
const GRAPH = "0".repeat(64);
const numbers = fc.uniqueArray(fc.nat(SIZE - 1));

function setOf(edges: readonly number[]): EdgeSet {
  const set = new EdgeSet(SIZE);
  for (const edge of edges) set.add(edge);
  return set;
}

const membersOf = (set: EdgeSet): number[] =>
  Array.from({ length: SIZE }, (_, edge) => edge).filter((edge) => set.has(edge));

const ascending = (edges: readonly number[]): number[] => edges.toSorted((a, b) => a - b);

test("driven edges and those that diverged are the same after they were packed", () => {
  const none = packEdges(GRAPH, setOf([1]), setOf([]));
  expect(Object.keys(none)).toEqual(["graph", "size", "edges"]);
  const some = packEdges(GRAPH, setOf([1]), setOf([2, 3]));
  const sets = [none, some].map((packed) => unpackEdges(packed)!);
  expect(sets.map(({ driven }) => membersOf(driven))).toEqual([[1], [1]]);
  expect(sets.map(({ diverged }) => membersOf(diverged))).toEqual([[], [2, 3]]);
  expect(unpackEdges({ ...some, diverged: "AAAA" })).toBeUndefined();
  expect(unpackEdges({ ...some, edges: "AAAA" })).toBeUndefined();
});

describe("a set of edges", () => {
  test("is the same after it was packed, and has those of two in it", () => {
    fc.assert(
      fc.property(numbers, numbers, (a, b) => {
        const set = setOf(a);
        set.addAll(EdgeSet.unpack(setOf(b).pack(GRAPH))!);
        expect(membersOf(set)).toEqual(ascending([...new Set([...a, ...b])]));
        for (const edge of b) set.delete(edge);
        expect(membersOf(set)).toEqual(ascending(a.filter((edge) => !b.includes(edge))));
      }),
      { seed: testSeed },
    );
  });

  test.each([
    ["is empty", ""],
    ["is not deflated", "AAAA"],
    ["is longer", new EdgeSet(SIZE + 8).pack(GRAPH).edges],
    ["is much longer", new EdgeSet(2 ** 24).pack(GRAPH).edges],
  ])("that %s is none", (_, edges) => {
    expect(EdgeSet.unpack({ size: SIZE, edges })).toBeUndefined();
  });
});
