import { expect, test } from "vitest";
import { didYouMean, namesIn, noSuch } from "./no-such.ts";

const known = ["4k-delalloc", "2k-delalloc", "1k-delalloc", "4k-nodelalloc", "4k-full"];

test.each([
  ["4k-deallloc", " (Did you mean 4k-delalloc?)"],
  ["4k-delaloc", " (Did you mean 4k-delalloc?)"],
  ["8k-delalloc", " (Did you mean one of 4k-delalloc, 2k-delalloc, 1k-delalloc?)"],
  ["4k-fulll", " (Did you mean 4k-full?)"],
  ["xfs", ""],
  ["", ""],
])("of %j what was meant is told by how little differs", (name, meant) => {
  expect(didYouMean(name, known)).toBe(meant);
});

test("and all that there are are named", () => {
  expect(noSuch("variant", "4k-ful\u001b", ["4k-full"])).toBe(
    'there is no variant "4k-ful?" (Did you mean 4k-full?); there are: 4k-full',
  );
});

test("a list has commas between its names, and none is empty", () => {
  expect(namesIn("a, b,a")).toEqual(["a", "b"]);
  expect(() => namesIn("a,")).toThrow('"a," has an empty name, where a comma');
  expect(() => namesIn("a,,b")).toThrow("(Did you mean a,b?)");
  expect(() => namesIn("")).toThrow(/^"" has an empty name[^?]*$/);
});
