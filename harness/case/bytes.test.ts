import { expect, test } from "vitest";
import { bytesText } from "./bytes.ts";

test.each([
  ["data", [1, 2, 171], "01 02 ab"],
  ["more than is shown", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], "01 02 03 04 05 06 07 08"],
  ["zeros", [0, 0, 0], "00 00 00 (zero)"],
  ["a zero before data", [0, 0, 3], "00 00 03"],
  ["nothing more", [], "(the end)"],
  [
    "a block of an extent tree",
    [0x0a, 0xf3, 1, 0, 0x54, 0, 0, 0, 0],
    "0a f3 01 00 54 00 00 00 (of an extent tree)",
  ],
  ["data that begins so", [0x0a, 0xf3, 1, 0, 0, 0, 0, 0, 0], "0a f3 01 00 00 00 00 00"],
])("%s", (_, bytes, text) => {
  expect(bytesText(Uint8Array.from(bytes))).toBe(text);
});

test("bytes within a buffer are looked at where they are", () => {
  const buffer = Buffer.from([1, 0x0a, 0xf3, 1, 0, 0x54, 0, 0, 0, 9]);
  expect(bytesText(buffer, 1)).toMatch(/ \(of an extent tree\)$/);
});

test("what lies in free space is told, wherever in it one begins", () => {
  const space = Buffer.from("free space 00042".repeat(4));
  for (let at = 0; at < 16; at++) expect(bytesText(space, at)).toMatch(/ \(of free space\)$/);
});
