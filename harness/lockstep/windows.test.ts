import { beforeEach, describe, expect, test } from "vitest";
import { Windows } from "./windows.ts";
import type { Operation } from "../operations/operation.ts";

const BLOCK = 4096;
const MARGIN = 16;
/** Bytes; no operation here moves it. */
const SIZE = 2 ** 30;

const write = (lblk: number): Operation => ({
  op: "pwrite",
  pos: lblk * BLOCK,
  len: BLOCK,
  readable: BLOCK,
});

describe("a file of many extents", () => {
  let looking: Windows;
  const after = (operation: Operation) => looking.after(operation, SIZE, SIZE, false);

  beforeEach(() => {
    looking = new Windows(BLOCK);
    looking.alwaysWhole = false;
    looking.begin();
    after(write(0));
    after({ op: "fsync" });
    looking.saw(8000, true);
  });

  test("a write: its blocks and a margin", () => {
    expect(after(write(1000))).toEqual([{ lblk: 1000 - MARGIN, end: 1001 + MARGIN }]);
    expect(after(write(3))).toEqual([{ lblk: 0, end: 4 + MARGIN }]);
  });

  test("a store through a mapping: the largest folio around it", () => {
    const windows = after({ op: "mmap_write", pos: 600 * BLOCK, len: 1 });
    expect(windows).toEqual([{ lblk: 512 - MARGIN, end: 1024 + MARGIN }]);
  });

  test("a sync: everything since the last one, once", () => {
    after(write(1000));
    after(write(5000));
    after(write(1010));
    const dirty = [
      { lblk: 1000 - MARGIN, end: 1011 + MARGIN },
      { lblk: 5000 - MARGIN, end: 5001 + MARGIN },
    ];
    expect(after({ op: "sync_file_range", pos: 0, len: BLOCK })).toEqual(dirty);
    expect(after({ op: "fsync" })).toEqual(dirty);
    expect(after({ op: "fsync" })).toEqual([]);
  });

  test("dropping the cache writes back as a sync does", () => {
    after(write(1000));
    expect(after({ op: "drop_cache" })).toEqual([{ lblk: 1000 - MARGIN, end: 1001 + MARGIN }]);
    expect(after({ op: "fsync" })).toEqual([]);
  });

  test("a punch: its blocks and a margin", () => {
    const windows = after({ op: "fallocate", mode: "punch_hole", pos: 900 * BLOCK, len: BLOCK });
    expect(windows).toEqual([{ lblk: 900 - MARGIN, end: 901 + MARGIN }]);
  });

  test("a sync after more ranges than are worth remembering: the whole file", () => {
    for (let i = 0; i < 300; i++) after(write(1000 + i * 100));
    expect(after({ op: "fsync" })).toBeUndefined();
  });

  test("a size that changes: everything behind, and the block at the former end", () => {
    const operation: Operation = { op: "ftruncate", size: 100 * BLOCK };
    const windows = looking.after(operation, 200 * BLOCK, 100 * BLOCK, false);
    expect(windows).toEqual([{ lblk: 100 - MARGIN, end: Infinity }]);
    const grown = looking.after(write(1000), 100 * BLOCK, 1001 * BLOCK, false);
    expect(grown).toEqual([
      { lblk: 100 - MARGIN, end: 100 + MARGIN },
      { lblk: 1000 - MARGIN, end: 1001 + MARGIN },
    ]);
  });

  test("nothing was called: nothing", () => {
    expect(looking.after(undefined, SIZE, SIZE, false)).toEqual([]);
  });

  test("what moves all blocks: the whole file", () => {
    expect(after({ op: "fallocate", mode: "collapse_range", pos: 0, len: BLOCK })).toBeUndefined();
    expect(after({ op: "fallocate", mode: "insert_range", pos: 0, len: BLOCK })).toBeUndefined();
  });

  test("past the largest file: nothing that the kernel would refuse", () => {
    expect(after(write(2 ** 32 + 100))).toEqual([]);
  });

  test("the whole file when the case ends, and once in 1,000 operations", () => {
    expect(looking.after(write(9), SIZE, SIZE, true)).toBeUndefined();
    looking.saw(8000, true);
    let windows = 0;
    while (after(write(windows)) !== undefined) {
      windows += 1;
      looking.saw(3, false);
    }
    expect(windows).toBe(8000 / 8 - 1);
  });

  test("as many extents as there can be: those of the last whole look and of all since", () => {
    expect(looking.saw(5, false)).toBe(8005);
    expect(looking.saw(5, false)).toBe(8010);
    expect(looking.saw(7000, true)).toBe(7000);
  });
});

test("a file of few extents is always looked at whole", () => {
  const windows = new Windows(BLOCK);
  windows.alwaysWhole = false;
  windows.begin();
  expect(windows.after(write(1), 0, SIZE, false)).toBeUndefined();
  windows.saw(64, true);
  expect(windows.after(write(1), SIZE, SIZE, false)).toBeUndefined();
});

test("always whole", () => {
  const windows = new Windows(BLOCK);
  windows.saw(8000, true);
  expect(windows.after(write(1), SIZE, SIZE, false)).toBeUndefined();
});
