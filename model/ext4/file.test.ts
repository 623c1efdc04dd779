/**
 * Direct I/O beside buffered I/O: what it leaves of page cache, blocks and sizes. Each was seen on
 * a kernel (6.18.44).
 */
import { describe, expect, test } from "vitest";
import { EFAULT, EFBIG, EINVAL, EIO } from "../include/errno.ts";
import {
  bytesAt,
  bytesOnDisk,
  createFileSystem,
  createInode,
  directRead,
  directWrite,
  fallocate,
  ftruncate,
  pread,
  pwrite,
} from "../file-system.ts";
import { shortWriteKeepsReservation } from "../deviations/short-write-keeps-reservation.ts";
import { delalloc } from "../samples.ts";
import { kernels } from "../kernels/kernels.ts";
import type { ModelConfig, Override } from "../tables.ts";
import { UNWRITTEN, WRITTEN } from "../include/types.ts";
import type { Inode } from "../include/types.ts";

const BLOCK = 4096;

function newFile(change: Partial<ModelConfig> = {}, overrides: readonly Override[] = []): Inode {
  return createInode(createFileSystem({ ...delalloc, ...change }, overrides));
}

/** A sparse file of 16 blocks. */
function sparse(change: Partial<ModelConfig> = {}): Inode {
  const inode = newFile(change);
  ftruncate(inode, 16 * BLOCK);
  return inode;
}

const direct = (inode: Inode, pos: number, len: number, readable = len): number =>
  directWrite(inode, pos, len, readable, 0);

const extents = (inode: Inode): unknown[] =>
  [...inode.i_extents].map(({ start, end, value }) => [start, end, value]);

const cached = (inode: Inode): number[] => inode.i_mapping.map(({ index }) => index);

describe("a direct write", () => {
  test("moves both sizes, and leaves written blocks", () => {
    const inode = newFile();
    expect(direct(inode, 0, 2 * BLOCK)).toBe(2 * BLOCK);
    expect([inode.i_size, inode.i_disksize]).toEqual([2 * BLOCK, 2 * BLOCK]);
    expect(extents(inode)).toEqual([[0, 2, WRITTEN]]);
  });

  test("writes back what is dirty in its range, and takes it out of the cache; what is beside it stays", () => {
    const inode = newFile();
    for (const page of [0, 1, 2]) pwrite(inode, page * BLOCK, BLOCK, BLOCK, 1);
    direct(inode, BLOCK, BLOCK);
    expect(cached(inode)).toEqual([0, 2]);
    expect(extents(inode)).toEqual([[1, 2, WRITTEN]]);
    expect(inode.i_reserved_data_blocks).toBe(2);
    expect(inode.i_disksize).toBe(2 * BLOCK);
  });

  test("moves i_disksize to its end alone where delayed data is behind it", () => {
    const inode = newFile();
    pwrite(inode, 3 * BLOCK, BLOCK, BLOCK, 1);
    direct(inode, 0, BLOCK);
    expect([inode.i_size, inode.i_disksize]).toEqual([4 * BLOCK, BLOCK]);
  });

  test("of a sector leaves zeros around it", () => {
    const inode = sparse();
    direct(inode, 512, 512);
    expect(extents(inode)).toEqual([[0, 1, WRITTEN]]);
    expect([...inode.contents].map(({ start, end }) => [start, end])).toEqual([[512, 1024]]);
  });

  test("that is not aligned is refused, with its block allocated before EOF and freed past it", () => {
    const inside = sparse();
    expect(direct(inside, 100, 100)).toBe(EINVAL);
    expect(extents(inside)).toEqual([[0, 1, UNWRITTEN]]);
    const past = newFile();
    expect(direct(past, 100, 100)).toBe(EINVAL);
    expect([extents(past), past.i_size]).toEqual([[], 0]);
  });

  test("that ends short fails: unwritten blocks stay, and what went over data stays too", () => {
    const inode = sparse();
    direct(inode, 0, BLOCK);
    expect(directWrite(inode, 0, 2 * BLOCK + 512, 2 * BLOCK, 1)).toBe(EFAULT);
    expect(extents(inode)).toEqual([
      [0, 1, WRITTEN],
      [1, 3, UNWRITTEN],
    ]);
    expect([...inode.contents].map(({ start, end, value }) => [start, end, value.tag])).toEqual([
      [0, BLOCK, 1],
    ]);
  });

  test("that fails past EOF keeps what fallocate(2) put there", () => {
    const inode = newFile();
    fallocate(inode, "keep_size", 0, 4 * BLOCK);
    expect(direct(inode, 0, BLOCK, 0)).toBe(EFAULT);
    expect(extents(inode)).toEqual([[0, 4, UNWRITTEN]]);
    expect(inode.i_sb.s_freeclusters_counter).toBe(delalloc.freeBlocks - 4);
  });

  test("goes no further than the longest file", () => {
    const inode = newFile();
    const { s_maxbytes } = inode.i_sb;
    expect(direct(inode, s_maxbytes, BLOCK)).toBe(EFBIG);
    expect(direct(inode, s_maxbytes - BLOCK, 2 * BLOCK)).toBe(BLOCK);
    expect(directRead(inode, s_maxbytes - BLOCK, BLOCK)).toBe(BLOCK);
    expect(directRead(inode, s_maxbytes - BLOCK, 2 * BLOCK)).toBe(EINVAL);
  });

  test("is a buffered one with data=journal", () => {
    const inode = newFile({ journal: "journal", delalloc: false });
    expect(direct(inode, 100, 100)).toBe(100);
    expect(cached(inode)).toEqual([0]);
    expect(direct(inode, 0, 2 * BLOCK, BLOCK)).toBe(BLOCK);
  });
});

describe("a direct read", () => {
  test("writes back what it is to read, and leaves it in the cache", () => {
    const inode = newFile();
    pwrite(inode, 0, 2 * BLOCK, 2 * BLOCK, 1);
    expect(directRead(inode, 0, BLOCK)).toBe(BLOCK);
    expect(inode.i_reserved_data_blocks).toBe(0);
    expect(cached(inode)).toEqual([0]);
    expect(bytesOnDisk(inode, 0, 2 * BLOCK)).toEqual(bytesAt(inode, 0, 2 * BLOCK));
  });

  test("ends at EOF, and past it does nothing", () => {
    const inode = newFile();
    pwrite(inode, 0, 1000, 1000, 1);
    expect(directRead(inode, 512, BLOCK)).toBe(488);
    pwrite(inode, 0, 1000, 1000, 1);
    expect(directRead(inode, 1000, 1)).toBe(0);
    expect(inode.i_dirty.size).toBe(1);
  });

  test("need not be aligned where nothing is on disk", () => {
    const inode = sparse();
    direct(inode, BLOCK, BLOCK);
    expect(directRead(inode, 100, 100)).toBe(100);
    expect(directRead(inode, BLOCK, 100)).toBe(EINVAL);
    expect(directRead(inode, 0, 2 * BLOCK - 100)).toBe(EINVAL);
    expect(directRead(inode, 2 * BLOCK, 100)).toBe(100);
  });

  // What is on disk is aligned here in either; 6.12 also asks it of the memory for what is behind
  // EOF.
  test.each([
    ["6.12", EINVAL],
    ["6.18", 1024],
  ] as const)("that goes past EOF within a sector: %s", (kernel, result) => {
    const inode = newFile({ ...kernels[kernel], blockSize: 1024 });
    pwrite(inode, 0, 1024, 1024, 1);
    expect(directRead(inode, 0, 1025)).toBe(result);
    expect(directRead(inode, 0, 1536)).toBe(1024);
  });

  test("of a reservation that a short write left fails", () => {
    const inode = newFile({}, [shortWriteKeepsReservation.override]);
    pwrite(inode, 0, 2 * BLOCK, BLOCK, 1);
    expect(directRead(inode, 0, 2 * BLOCK)).toBe(EIO);
    expect(pread(inode, 0, 2 * BLOCK)).toBe(BLOCK);
    const ideal = newFile();
    pwrite(ideal, 0, 2 * BLOCK, BLOCK, 1);
    expect(directRead(ideal, 0, 2 * BLOCK)).toBe(BLOCK);
  });
});
