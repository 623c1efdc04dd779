import { describe, expect, test } from "vitest";
import { statisticsText } from "../report/statistics.ts";
import type { Operation } from "../operations/operation.ts";
import { clampingsIn, describeClamping } from "./clampings.ts";
import { noteClampings } from "./statistics.ts";
import type { Statistics } from "./statistics.ts";

const size = (i_size: number) => ({ i_size });
const look = (i_size: number) => ({ result: 0, reserved: 0, i_size });

/** What is said of the operation on a file of 5000 bytes. */
function said(operation: Operation): string[] {
  const first: Operation = { op: "ftruncate", size: 5000 };
  return clampingsIn([first, operation], [size(5000), size(5000)]).map(describeClamping);
}

describe("an operation that is not done as it stands is told of", () => {
  test.each<[Operation, RegExp]>([
    [
      { op: "mmap_write", pos: 4990, len: 3000 },
      /^clamped: operation 1: mmap_write\(pos=4990, len=3000\) was asked for, mmap_write\(pos=4990, len=10\) was done: a store past/,
    ],
    [
      { op: "mmap_write", pos: 5000, len: 1 },
      /len=1\) was asked for, nothing was done: a store past/,
    ],
    [{ op: "direct_write", pos: 100, len: 4000, readable: 4000 }, /len=924\) was done: .*aligned/],
    [{ op: "direct_write", pos: 100, len: 500, readable: 400 }, /readable=0\) was done: .*aligned/],
    [
      { op: "direct_write", pos: 0, len: 8192, readable: 4100 },
      /direct_write\(pos=0, len=4608, readable=4096\) was done: .*memory ends early/,
    ],
    [
      { op: "direct_write", pos: 0, len: 8192, readable: 8192, starved: true },
      /len=4096, no room\) was done: one without room/,
    ],
    [{ op: "direct_read", pos: 1, len: 4096 }, /len=1023\) was done: one that begins within a sec/],
  ])("%j", (operation, message) => {
    expect(said(operation)).toEqual([expect.stringMatching(message)]);
  });

  test.each<Operation>([
    { op: "mmap_write", pos: 0, len: 5000 },
    { op: "direct_write", pos: 100, len: 400, readable: 400 },
    { op: "direct_write", pos: 0, len: 4096, readable: 4096 },
    { op: "direct_read", pos: 512, len: 4096 },
    { op: "pwrite", pos: 9, len: 10, readable: 10, append: true },
    { op: "pread", pos: 4990, len: 3000 },
    { op: "fsync" },
  ])("and one that is, is not: %j", (operation) => {
    expect(said(operation)).toEqual([]);
  });

  test("by the size that the file had then, also of a pause, and only as far as the case came", () => {
    const store: Operation = { op: "mmap_write", pos: 0, len: 4096 };
    const paused: Operation = {
      op: "paused_write",
      pos: 0,
      len: 8192,
      pause_at: 4096,
      during: [store, { op: "mmap_write", pos: 4000, len: 200 }, { op: "fsync" }],
      after: "continue",
    };
    const seen = [
      { ...size(8192), during: [look(0), look(4096), look(4096), look(4096)] },
      size(8192),
      size(0),
    ];
    const clampings = clampingsIn([paused, store, { op: "unlink" }, store], seen);
    expect(clampings.map(({ step, done }) => [step, done])).toEqual([
      [0, undefined],
      [0, { op: "mmap_write", pos: 4000, len: 96 }],
    ]);
  });

  test("and counted beside what was met", () => {
    const statistics: Statistics = { "mmap_write|hole": 3 };
    const store: Operation = { op: "mmap_write", pos: 0, len: 4096 };
    const clampings = clampingsIn([store, store, store], [size(10), size(0), size(9)]);
    noteClampings(statistics, clampings);
    expect(statisticsText(statistics).split("\n").slice(2)).toEqual([
      "",
      "not done as it stood  shortened  left out",
      "mmap_write                    1         2",
      "",
    ]);
  });
});
