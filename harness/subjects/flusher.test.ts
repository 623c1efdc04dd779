import { expect, test } from "vitest";
import { quietMilliseconds } from "./flusher.ts";

test.each([
  ["3000\n", 20_000],
  ["300\n", 2000],
  ["", 20_000],
])("vm.dirty_expire_centisecs %j", (text, milliseconds) => {
  expect(quietMilliseconds(text)).toBeCloseTo(milliseconds);
});
