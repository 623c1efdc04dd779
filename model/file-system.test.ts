/**
 * Calls of the model that no recording has: dropping the page cache, and what unmounting says.
 */
import { describe, expect, test } from "vitest";
import { ENOMEM } from "./include/errno.ts";
import { dirtyTagOutlivesDirt } from "./deviations/dirty-tag-outlives-dirt.ts";
import { uncountedWriteMovesSize } from "./deviations/uncounted-write-moves-size.ts";
import {
  createFileSystem,
  createInode,
  dropCache,
  fsync,
  ftruncate,
  pread,
  pwrite,
  warnsAtUnmount,
  withoutMemory,
} from "./file-system.ts";
import { invalidate_mapping_pages } from "./mm/truncate.ts";
import { kernels } from "./kernels/kernels.ts";
import { delalloc, iomap } from "./samples.ts";
import type { Override } from "./tables.ts";
import type { Inode, MemoryFailure } from "./include/types.ts";

const PAGE = 4096;

function newFile(overrides: readonly Override[] = []): Inode {
  return createInode(createFileSystem(delalloc, overrides));
}

/** A write of whole pages. */
function write(inode: Inode, page: number, pages: number): void {
  pwrite(inode, page * PAGE, pages * PAGE, pages * PAGE, 0);
}

/** The pages in the cache, folio by folio. */
const cached = (inode: Inode): number[] => inode.i_mapping.map(({ index }) => index);

describe("dropping the page cache", () => {
  // mm/fadvise.c generic_fadvise() POSIX_FADV_DONTNEED: dirty pages are written back first, and
  // then all are clean.
  test("takes all folios out, however many there are", () => {
    const inode = newFile();
    for (const page of [0, 1, 5, 9]) write(inode, page, 1);
    expect(cached(inode)).toEqual([0, 1, 5, 9]);
    dropCache(inode);
    expect(cached(inode)).toEqual([]);
    expect(inode.i_reserved_data_blocks).toBe(0);
  });

  test("of a file that was only read too", () => {
    const inode = newFile();
    write(inode, 0, 4);
    dropCache(inode);
    pread(inode, 0, 4 * PAGE);
    expect(cached(inode)).toEqual([0, 1, 2, 3]);
    dropCache(inode);
    expect(cached(inode)).toEqual([]);
  });

  // mm/truncate.c mapping_evict_folio()
  test("without writing back first leaves dirty folios where they are", () => {
    const inode = newFile();
    write(inode, 0, 1);
    fsync(inode);
    write(inode, 3, 1);
    invalidate_mapping_pages(inode);
    expect(cached(inode)).toEqual([3]);
  });
});

/**
 * What leaves a folio with the tag alone: a truncation takes its dirty buffers, and no writeback
 * comes by.
 */
function truncatedInFolio(overrides: readonly Override[] = []): Inode {
  const inode = newFile(overrides);
  write(inode, 0, 2);
  fsync(inode);
  write(inode, 1, 1);
  ftruncate(inode, PAGE);
  fsync(inode);
  return inode;
}

const never = (): boolean => false;

/** The folio at `pos` cannot be had. */
const failsAt = (pos: number): MemoryFailure => ({
  mapping: never,
  folio: (at) => at === pos,
  handle: never,
  truncates: false,
});

/** A write of three pages at the start of the file. */
const writeThree = (inode: Inode) => (): number => pwrite(inode, 0, 3 * PAGE, 3 * PAGE, 0);

describe("a write that lacks memory", () => {
  test.each([delalloc, iomap])(
    "ends at the folio it had come to, and keeps nothing behind it, $path",
    (config) => {
      const changes = config.changes.filter((change) => change !== "large-folios");
      const small = { ...config, changes };
      const inode = createInode(createFileSystem(small));
      expect(withoutMemory(inode, failsAt(PAGE), writeThree(inode))).toBe(PAGE);
      expect([inode.i_size, inode.i_reserved_data_blocks]).toEqual([PAGE, 1]);
      expect(inode.failure).toBeUndefined();
    },
  );

  test.each([delalloc, iomap])("fails where that is the first, $path", (config) => {
    const inode = createInode(createFileSystem(config));
    expect(withoutMemory(inode, failsAt(0), writeThree(inode))).toBe(ENOMEM);
    expect([inode.i_size, inode.i_reserved_data_blocks]).toEqual([0, 0]);
  });

  test.each([
    ["of the mapping", { mapping: () => true }, []],
    ["of a folio", { folio: () => true }, [[0, 3]]],
  ])("keeps the blocks that it was given before that, nodelalloc: %s", (_, fails, blocks) => {
    const inode = createInode(createFileSystem({ ...iomap, delalloc: false }));
    const failure = { ...failsAt(-1), ...fails };
    expect(withoutMemory(inode, failure, writeThree(inode))).toBe(ENOMEM);
    expect([...inode.i_extents].map(({ start, end }) => [start, end])).toEqual(blocks);
  });

  test("counts what it has copied, whether or not there is a handle for its size", () => {
    const inode = newFile();
    pwrite(inode, 0, 512, 512, 0);
    fsync(inode);
    const append = (): number => pwrite(inode, 512, 512, 512, 1);
    const noHandle = { mapping: never, folio: never, handle: () => true, truncates: false };
    expect(withoutMemory(inode, noHandle, append)).toBe(512);
    expect([inode.i_size, inode.raw_i_size]).toEqual([1024, 1024]);
  });

  // fs/ext4/inode.c ext4_da_do_write_end() until 7.1 also takes one for zeroing the gap; writeback
  // will tell the size of what is delayed.
  test.each([
    ["6.18", "ideal", [], PAGE, true],
    ["6.18", "deviated", [uncountedWriteMovesSize.override], ENOMEM, false],
    ["7.3", "deviated", [uncountedWriteMovesSize.override], PAGE, true],
  ] as const)(
    "zeroes the gap that it leaves, in %s, %s",
    (kernel, _, overrides, result, zeroed) => {
      const config = { ...delalloc, ...kernels[kernel] };
      const inode = createInode(createFileSystem(config, overrides));
      pwrite(inode, 0, PAGE / 2, PAGE / 2, 0);
      fsync(inode);
      const noHandle = { mapping: never, folio: never, handle: () => true, truncates: false };
      const leavesGap = (): number => pwrite(inode, 2 * PAGE, PAGE, PAGE, 1);
      expect(withoutMemory(inode, noHandle, leavesGap)).toBe(result);
      expect([inode.i_size, inode.i_reserved_data_blocks]).toEqual([3 * PAGE, 1]);
      expect(inode.sizeUntold).toBe(false);
      expect(inode.i_mapping[0]?.dirty).toBe(zeroed);
    },
  );
});

describe("unmounting", () => {
  // fs/ext4/inode.c ext4_evict_inode() warns where the page cache lists a dirty folio.
  test("says nothing where the page cache is clean", () => {
    expect(warnsAtUnmount(truncatedInFolio())).toBe(false);
    expect(warnsAtUnmount(newFile())).toBe(false);
  });

  test("warns of a folio that is listed as dirty and never will be written", () => {
    expect(warnsAtUnmount(truncatedInFolio([dirtyTagOutlivesDirt.override]))).toBe(true);
  });

  test("may say either where writeback has yet to come by, or where a guess was wrong", () => {
    const unwritten = newFile();
    write(unwritten, 0, 1);
    expect(warnsAtUnmount(unwritten)).toBeUndefined();
    const wrong = truncatedInFolio([dirtyTagOutlivesDirt.override]);
    wrong.uncertain = true;
    expect(warnsAtUnmount(wrong)).toBeUndefined();
  });
});
