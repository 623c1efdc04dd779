import { closeSync, openSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { variants } from "../../images/variants.ts";
import { pattern, patternOffset, patternTag } from "../../model/include/pattern.ts";
import type { Observation } from "../case/observation.ts";
import type { Operation } from "../operations/operation.ts";
import { DdSubject } from "./dd-subject.ts";
import { ExtentReader } from "../system/fiemap.ts";
import { type MountedImage, openImage } from "./image.ts";
import { KernelSubject } from "./kernel-subject.ts";
import { machineLacks } from "../system/machine.ts";
import { EFAULT, syscalls } from "../system/syscalls.ts";
import { userBuffer } from "../system/user-buffer.ts";

const lacking = machineLacks();
const ENOSPC = 28;

/** What write number `index` of `len` bytes stores. */
function bytesOf(index: number, len: number): Uint8Array {
  return pattern(patternTag(index)).subarray(patternOffset(len), patternOffset(len) + len);
}

const unwritten = (lblk: number, len: number) => ({ lblk, len, state: "unwritten" });

describe.skipIf(lacking)(`kernel subject ${lacking?.message ?? ""}`, () => {
  let image: MountedImage;
  let subject: KernelSubject;

  beforeAll(async () => {
    image = await openImage(variants.find(({ name }) => name === "4k-delalloc")!);
    subject = new KernelSubject(image);
  });

  afterAll(() => {
    subject.release();
    image.close();
  });

  function steps(...operations: Operation[]): Observation[] {
    subject.begin();
    const seen = operations.map((operation, index) => subject.step(operation, index));
    subject.end();
    return seen;
  }

  test("a whole write: delayed, then written by fsync", () => {
    const [written, synced] = steps(
      { op: "pwrite", pos: 8192, len: 5000, readable: 5000 },
      { op: "fsync" },
    );
    expect(written).toMatchObject({
      result: 5000,
      i_size: 13192,
      st_blocks: 16,
      reserved: 2,
      map: [{ lblk: 2, len: 2, state: "delayed" }],
      read: undefined,
    });
    expect(written!.cache).toContainEqual({ lblk: 2, len: 2, state: "delayed" });
    expect(written!.cache).toContainEqual({ lblk: 0, len: 2, state: "hole" });
    expect(synced).toMatchObject({
      result: 0,
      reserved: 0,
      map: [{ lblk: 2, len: 2, state: "written" }],
    });
  });

  test.each([1, 511, 4095, 4096, 4097, 10000])(
    "a write ends after %i readable bytes",
    (readable) => {
      const [written, read] = steps(
        { op: "pwrite", pos: 100, len: 3 * 4096, readable },
        { op: "pread", pos: 0, len: 65536 },
      );
      expect(written).toMatchObject({ result: readable, i_size: 100 + readable });
      expect(read!.read!.length).toBe(100 + readable);
      expect(read!.read!.subarray(0, 100).every((byte) => byte === 0)).toBe(true);
      expect(Buffer.compare(read!.read!.subarray(100), bytesOf(0, readable))).toBe(0);
    },
  );

  test("a write with nothing readable fails with EFAULT and changes no size", () => {
    const [written] = steps({ op: "pwrite", pos: 0, len: 4096, readable: 0 });
    expect(written).toMatchObject({ result: -EFAULT, i_size: 0 });
  });

  test("stores through a mapping are clamped to the file and seen by reads", () => {
    const [, stored, read] = steps(
      { op: "ftruncate", size: 9000 },
      { op: "mmap_write", pos: 5000, len: 100_000 },
      { op: "pread", pos: 0, len: 9000 },
    );
    expect(stored).toMatchObject({ result: 0, i_size: 9000, reserved: 2 });
    expect(read!.read!.subarray(0, 5000).every((byte) => byte === 0)).toBe(true);
    expect(Buffer.compare(read!.read!.subarray(5000), bytesOf(1, 4000))).toBe(0);
  });

  test("stores wholly past the end are skipped", () => {
    const [stored] = steps({ op: "mmap_write", pos: 5000, len: 100 });
    expect(stored).toMatchObject({ result: 0, i_size: 0, map: [] });
  });

  test("the copies that preads return are independent", () => {
    const [, , first, second] = steps(
      { op: "pwrite", pos: 0, len: 4096, readable: 4096 },
      { op: "pwrite", pos: 4096, len: 4096, readable: 4096 },
      { op: "pread", pos: 0, len: 4096 },
      { op: "pread", pos: 4096, len: 4096 },
    );
    expect(Buffer.compare(first!.read!, bytesOf(0, 4096))).toBe(0);
    expect(Buffer.compare(second!.read!, bytesOf(1, 4096))).toBe(0);
  });

  test("blocks near the end of the longest file, holes around them", () => {
    const last = 2 ** 32 - 2;
    const [written] = steps({ op: "pwrite", pos: last * 4096, len: 4096, readable: 4096 });
    expect(written).toMatchObject({
      result: 4096,
      i_size: (last + 1) * 4096,
      map: [{ lblk: last, len: 1, state: "delayed" }],
    });
  });

  test("every fallocate mode reaches the kernel as itself", () => {
    const allocate = { op: "fallocate", pos: 0, len: 16384 } as const;
    const [kept, allocated, punched, collapsed, inserted, zeroed] = steps(
      { ...allocate, mode: "keep_size" },
      { ...allocate, mode: "allocate" },
      { op: "fallocate", mode: "punch_hole", pos: 4096, len: 4096 },
      { op: "fallocate", mode: "collapse_range", pos: 0, len: 4096 },
      { op: "fallocate", mode: "insert_range", pos: 4096, len: 8192 },
      { op: "fallocate", mode: "zero_range_keep_size", pos: 0, len: 32768 },
    );
    expect(kept).toMatchObject({ result: 0, i_size: 0, map: [unwritten(0, 4)] });
    expect(allocated).toMatchObject({ result: 0, i_size: 16384, map: [unwritten(0, 4)] });
    expect(punched).toMatchObject({ i_size: 16384, map: [unwritten(0, 1), unwritten(2, 2)] });
    expect(collapsed).toMatchObject({ i_size: 12288, map: [unwritten(1, 2)] });
    expect(inserted).toMatchObject({ i_size: 20480, map: [unwritten(3, 2)] });
    expect(zeroed).toMatchObject({ i_size: 20480, map: [unwritten(0, 8)] });
  });

  test("more extents than one ioctl returns", () => {
    subject.begin();
    for (let i = 0; i < 1500; i++) {
      subject.step({ op: "pwrite", pos: i * 8192, len: 4096, readable: 4096 }, i);
    }
    const { map, pieces, cache } = subject.step({ op: "pread", pos: 0, len: 1 }, 0);
    subject.end();
    const delayed = Array.from({ length: 1500 }, (_, i) => ({
      lblk: 2 * i,
      len: 1,
      state: "delayed",
    }));
    expect(pieces).toBe(1500);
    expect(map).toEqual(delayed);
    expect(cache!.filter(({ state }) => state === "delayed")).toEqual(delayed);
  });

  test("a kept file outlives its case and a remount, and the next case begins afresh", () => {
    subject.begin();
    subject.step({ op: "pwrite", pos: 0, len: 5000, readable: 5000 }, 2);
    const { path, ino } = subject.keep();
    subject.release();
    image.remount();
    expect(ino).toBeGreaterThan(10);
    expect(Buffer.compare(readFileSync(path), bytesOf(2, 5000))).toBe(0);
    const fd = openSync(path, "r");
    expect(new ExtentReader(4096).map(fd)).toEqual([{ lblk: 0, len: 2, state: "written" }]);
    closeSync(fd);
    syscalls().unlink(path);
    const [written] = steps({ op: "pwrite", pos: 0, len: 1, readable: 1 });
    expect(written).toMatchObject({ i_size: 1, reserved: 1 });
  });

  test("the page cache: what a write brings in, an fsync cleans and fadvise drops", ({ skip }) => {
    const seen = steps(
      { op: "pwrite", pos: 8192, len: 5000, readable: 5000 },
      { op: "mmap_write", pos: 8192, len: 1 },
      { op: "fsync" },
      { op: "pread", pos: 0, len: 1 },
      { op: "drop_cache" },
    );
    skip(seen[0]!.pages === undefined, "this kernel has no cachestat(2)");
    expect(seen.map(({ pages }) => pages)).toEqual([
      { cached: 2, dirty: 2 },
      { cached: 2, dirty: 2 },
      { cached: 2, dirty: 0 },
      { cached: 3, dirty: 0 },
      { cached: 0, dirty: 0 },
    ]);
  });

  test("processes see what the calls see", () => {
    const operations: Operation[] = [
      { op: "pwrite", pos: 5000, len: 20_000, readable: 20_000 },
      { op: "fallocate", mode: "keep_size", pos: 65536, len: 8192 },
      { op: "pwrite", pos: 2 ** 40, len: 300, readable: 300 },
      { op: "ftruncate", size: 2 ** 40 - 1 },
      { op: "pread", pos: 0, len: 40_000 },
      { op: "fallocate", mode: "collapse_range", pos: 100, len: 4096 },
      { op: "fallocate", mode: "insert_range", pos: 8192, len: 4096 },
      { op: "fsync" },
      { op: "ftruncate", size: 2 ** 45 },
    ];
    const dd = new DdSubject(image);
    dd.begin();
    const byProcesses = operations.map((operation, index) => {
      expect(dd.supports(operation)).toBe(true);
      return { seen: dd.step(operation, index), performed: dd.performed };
    });
    dd.end();
    subject.begin();
    byProcesses.forEach(({ seen, performed }, index) => {
      const last = performed.map((operation) => subject.step(operation, index)).at(-1)!;
      // The look between two operations has filled the cache; extent-tree blocks and pieces depend
      // on placement; no program counts pages.
      const cache = performed.length > 1 ? last.cache : seen.cache;
      const { st_blocks, pieces, breaks, pages } = last;
      expect({ ...seen, st_blocks, pieces, breaks, pages, cache }).toEqual(last);
    });
    subject.end();
    expect(byProcesses.map(({ seen }) => seen.result)).toEqual([
      20_000, 0, 300, 0, 40_000, -22, 0, 0, -27,
    ]);
    expect(dd.supports({ op: "pwrite", pos: 0, len: 2, readable: 1 })).toBe(false);
    expect(dd.supports({ op: "drop_cache" })).toBe(false);
  });
});

describe.skipIf(lacking)(`a full file system ${lacking?.message ?? ""}`, () => {
  test("a store that finds no space is EFAULT, and does not end the process by SIGBUS", async () => {
    const image = await openImage(variants.find(({ name }) => name === "4k-small")!);
    const subject = new KernelSubject(image);
    try {
      subject.begin();
      const filled = Array.from({ length: 20 }, (_, i) =>
        subject.step(
          { op: "fallocate", mode: "allocate", pos: i * 2 ** 20, len: 2 ** 20 - 4096 },
          i,
        ),
      );
      expect(filled.at(-1)!.result).toBe(-ENOSPC);
      subject.step({ op: "ftruncate", size: 2 ** 30 }, 0);
      const { result } = subject.step({ op: "mmap_write", pos: 2 ** 29, len: 2 ** 22 }, 0);
      expect(result).toBe(-EFAULT);
    } finally {
      subject.release();
      image.close();
    }
  });
});

describe.skipIf(lacking?.reason === "unsupported-platform")("user buffer", () => {
  test("the guard is not given to a later mmap, and nothing of it is readable", () => {
    const sys = syscalls();
    const end = userBuffer().address(0, 0);
    const fd = openSync("/dev/null", "w");
    const addresses = Array.from({ length: 64 }, () => sys.mmap(0, 2 ** 21, 1, 0x22, -1, 0));
    expect(addresses.filter((at) => at + 2 ** 21 > end && at < end + 4 * 2 ** 20)).toEqual([]);
    for (const at of addresses) sys.munmap(at, 2 ** 21);
    closeSync(fd);
    const file = sys.memfd_create("test", 0);
    expect(sys.pwrite(file, userBuffer().address(0, 10), 20, 0)).toBe(10);
    expect(sys.pwrite(file, end, 1, 0)).toBe(-EFAULT);
    expect(sys.pwrite(file, end + 4 * 2 ** 20 - 1, 1, 0)).toBe(-EFAULT);
    sys.close(file);
  });
});
