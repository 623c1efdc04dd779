import { expect, test } from "vitest";
import type { FoundDivergence } from "../stored/result.ts";
import { addFound, countMet, foundTogether } from "./found.ts";
import { identityOf } from "../finding/identity.ts";

function found(variant: string, fields: Partial<FoundDivergence> = {}): FoundDivergence {
  const operations = [{ op: "fsync" as const }];
  const divergence = { variant, step: 0, operations, kind: "map" as const, message: "no" };
  return { variant, case: 7, divergence, confirmed: true, named: [], met: 1, ...fields };
}

test("a finding is there once in a variant, with how often it was met", () => {
  const all: FoundDivergence[] = [];
  expect(addFound(all, found("4k-delalloc"))).toBe(all[0]);
  expect(addFound(all, found("4k-delalloc", { met: 3 }))).toBe(undefined);
  expect(addFound(all, found("1k-delalloc"))).toBe(all[1]);
  countMet(all, "4k-delalloc", identityOf(found("4k-delalloc").divergence));
  expect(all.map(({ variant, met }) => [variant, met])).toEqual([
    ["4k-delalloc", 5],
    ["1k-delalloc", 1],
  ]);
});

test.each([
  [true, false],
  [false, true],
])("what a fresh image has shown is told, whether it comes first (%s) or not", (first, second) => {
  const named = ["failed-write-moves-size"];
  const both = [first, second].map((confirmed) =>
    found("4k-delalloc", { confirmed, named: confirmed ? named : [], case: confirmed ? 1 : 2 }),
  );
  const [one, ...others] = foundTogether(both);
  expect(others).toEqual([]);
  expect(one).toMatchObject({ confirmed: true, named, case: 1, met: 2 });
});

test("one that is confirmed after it was told of is news", () => {
  const all = [found("4k-delalloc", { confirmed: false })];
  expect(addFound(all, found("4k-delalloc"))).toBe(all[0]);
  expect(addFound(all, found("4k-delalloc", { confirmed: false }))).toBe(undefined);
});
