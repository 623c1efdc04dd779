/**
 * Which blocks become written besides the one that is: fs/ext4/extents.c
 * ext4_ext_convert_to_initialized(). What recordings cannot show of it is what the model must be
 * told, or may have to correct: where the allocator put the blocks.
 */
import { describe, expect, test } from "vitest";
import { createFileSystem, createInode, fallocate, pwrite } from "../file-system.ts";
import { nodelalloc } from "../samples.ts";
import { UNWRITTEN, WRITTEN } from "../include/types.ts";
import type { Inode } from "../include/types.ts";
import { adoptZeroed } from "./zeroout.ts";

const SIZE = 4096;

/** extent_max_zeroout_kb (32) in blocks of this size. */
const ZEROOUT = 8;

/**
 * A file of 20 unwritten blocks, where the blocks of `breaks` are not placed behind the ones before
 * them.
 */
function preallocated(breaks: number[], mode: "allocate" | "keep_size" = "allocate"): Inode {
  const inode = createInode(createFileSystem(nodelalloc));
  inode.breaks = new Set(breaks);
  fallocate(inode, mode, 0, 20 * SIZE);
  return inode;
}

function write(inode: Inode, block: number): void {
  pwrite(inode, block * SIZE, SIZE, SIZE, 0);
}

/** The written blocks, as [first, end). */
function written({ i_extents }: Inode): number[][] {
  return [...i_extents].filter((e) => e.value === WRITTEN).map((e) => [e.start, e.end]);
}

describe("a write into an unwritten extent", () => {
  test.each([
    { write: 3, breaks: [], becomes: [0, 4], why: "little lies before it, much behind it" },
    {
      write: 3,
      breaks: [2],
      becomes: [2, 4],
      why: "the extent begins at the last break before it",
    },
    { write: 3, breaks: [1, 2], becomes: [2, 4], why: "the last of two breaks before it counts" },
    { write: 3, breaks: [2, 1], becomes: [2, 4], why: "in whatever order they were noticed" },
    { write: 3, breaks: [3], becomes: [3, 4], why: "the extent begins with it" },
    { write: 3, breaks: [4], becomes: [3, 4], why: "the extent ends with it" },
    { write: 3, breaks: [7], becomes: [0, 7], why: "the extent is short" },
    { write: 3, breaks: [7, 9], becomes: [0, 7], why: "the first of two breaks behind it counts" },
    { write: 3, breaks: [9, 7], becomes: [0, 7], why: "in whatever order they were noticed" },
    { write: 6, breaks: [], becomes: [0, 7], why: "one block fewer than the limit" },
    { write: 7, breaks: [], becomes: [7, 8], why: "just as many as the limit, which is too many" },
    { write: 11, breaks: [], becomes: [11, 12], why: "one block more than the limit follows" },
    { write: 12, breaks: [], becomes: [12, 20], why: "just as many as the limit follow" },
  ])("block $write, breaks $breaks: $why", ({ write: block, breaks, becomes }) => {
    const inode = preallocated(breaks);
    write(inode, block);
    expect(written(inode)).toEqual([becomes]);
  });

  test("zeroes nothing where the extent reaches past EOF", () => {
    const inode = preallocated([], "keep_size");
    write(inode, 3);
    expect(written(inode)).toEqual([[3, 4]]);
  });

  test("moves the block to a written neighbour instead, if that is placed right before it", () => {
    const [joined, apart] = [preallocated([]), preallocated([12])];
    for (const inode of [joined, apart]) {
      write(inode, 11);
      write(inode, 12);
    }
    expect(written(joined)).toEqual([[11, 13]]);
    expect(written(apart)).toEqual([[11, 20]]);
  });

  test("notes the blocks around it as far as the limit", () => {
    const inode = preallocated([]);
    write(inode, 9);
    const noted = [...inode.maybeZeroed].map((e) => [e.start, e.end]);
    expect(noted).toEqual([
      [9 - ZEROOUT, 9],
      [10, 10 + ZEROOUT],
    ]);
  });
});

/**
 * Block by block what a kernel might show where the model guessed [0, 4): it zeroed block 2 only,
 * and 4 besides.
 */
function otherZeroes(lblk: number) {
  if (lblk >= 2 && lblk <= 4) return { state: WRITTEN, end: lblk + 1 };
  return { state: UNWRITTEN, end: lblk < 2 ? 2 : 20 };
}

const asGuessed = (lblk: number) =>
  lblk < 4 ? { state: WRITTEN, end: 4 } : { state: UNWRITTEN, end: 20 };

const nothingWritten = () => ({ state: UNWRITTEN, end: 20 });

const gone = (lblk: number) => ({ state: undefined, end: lblk + 1 });

describe("a guess that was wrong", () => {
  test("is corrected block by block, counted, and makes the cache uncertain", () => {
    const inode = preallocated([]);
    write(inode, 3);
    expect(written(inode)).toEqual([[0, 4]]);
    expect(adoptZeroed(inode, 0, 20, otherZeroes)).toBe(3);
    expect(written(inode)).toEqual([[2, 5]]);
    expect(inode.i_es_tree.get(0)).toBe(UNWRITTEN);
    expect(inode.i_es_tree.get(4)).toBe(WRITTEN);
    expect(inode.uncertain).toBe(true);
    expect([...inode.maybeZeroed]).toEqual([]);
  });

  test("stays one where nothing was seen: outside of what was looked at, and of blocks that are gone", () => {
    const inode = preallocated([]);
    write(inode, 3);
    expect(adoptZeroed(inode, 0, 2, nothingWritten)).toBe(2);
    expect(written(inode)).toEqual([[2, 4]]);
    expect(adoptZeroed(inode, 2, 3, gone)).toBe(0);
    expect(written(inode)).toEqual([[2, 4]]);
  });

  test("is none where what was seen is what was guessed", () => {
    const inode = preallocated([]);
    write(inode, 3);
    expect(adoptZeroed(inode, 0, 20, asGuessed)).toBe(0);
    expect(inode.uncertain).toBe(false);
  });
});
