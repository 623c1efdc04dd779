import { expect, test } from "vitest";
import type { Operation } from "../operation.ts";
import { History, inSequence, leastCases } from "./sequence.ts";

/** A case that can be told from others. */
const numbered = (size: number): Operation[] => [{ op: "ftruncate", size }];

const sizesIn = (operations: readonly Operation[]): number[] =>
  operations.flatMap((one) => (one.op === "ftruncate" ? [one.size] : []));

test("between two cases of a sequence the file is removed", () => {
  expect(inSequence([numbered(1), numbered(2)]).map(({ op }) => op)).toEqual([
    "ftruncate",
    "unlink",
    "ftruncate",
  ]);
});

test("more and more of the cases before one are tried, twice as many each time", () => {
  const history = new History();
  const cases = [0, 1, 2, 3, 4].map(numbered);
  for (const one of cases) history.add(one);
  const tried = (last: Operation[]): number[][] =>
    [...history.before(last, history.placeOf(last))].map((them) => them.flatMap(sizesIn));
  expect(tried(cases[4]!)).toEqual([
    [3, 4],
    [2, 3, 4],
    [0, 1, 2, 3, 4],
  ]);
  expect(tried(numbered(9))[0]).toEqual([4, 9]);
  expect(tried(cases[0]!)).toEqual([]);
  history.forget();
  expect(tried(numbered(9))).toEqual([]);
});

test("of a sequence the cases are left that it takes", async () => {
  const cases = Array.from({ length: 37 }, (_, i) => numbered(i));
  const shows = (operations: Operation[]): Promise<boolean> => {
    const there = sizesIn(operations);
    return Promise.resolve([3, 20, 36].every((one) => there.includes(one)));
  };
  const least = await leastCases(cases, shows, Infinity);
  expect(least.flatMap(sizesIn)).toEqual([3, 20, 36]);
});
