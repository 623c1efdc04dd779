import { expect, test } from "vitest";
import { numbersIn } from "./processors.ts";

test.each([
  ["0", [0]],
  ["0-3", [0, 1, 2, 3]],
  ["0-1,4,6-7\n", [0, 1, 4, 6, 7]],
  ["", []],
])("the processors of %j", (list, numbers) => {
  expect(numbersIn(list)).toEqual(numbers);
});
