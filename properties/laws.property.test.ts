/**
 * Laws of the ideal model: what one sequence of operations has to do with another.
 */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ModelSubject } from "../harness/lockstep/model-subject.ts";
import type { Observation } from "../harness/case/observation.ts";
import { isAligned } from "../harness/case/limits.ts";
import { withoutFaults } from "../harness/operations/operation.ts";
import type { Operation } from "../harness/operations/operation.ts";
import { bytesAt } from "../model/file-system.ts";
import { UNWRITTEN, WRITTEN } from "../model/include/types.ts";
import { cases, isInterrupted, isShort, modelAfter, settingOf, settings } from "./settings.ts";
import type { Setting } from "./settings.ts";

const fsync: Operation = { op: "fsync" };
const everywhere = { pos: 0, len: 2 ** 44 };

/** What the file is, whatever was called last. */
function state(model: ModelSubject): Partial<Observation> {
  const { map, i_size, reserved, st_blocks } = model.observe(undefined);
  return { map, i_size, reserved, st_blocks };
}

/** Where the bytes of the file came from. */
const contentsOf = ({ inode }: ModelSubject): unknown => [...inode.contents];

/** A write of which `readable` bytes can be read. */
const cut = (pos: number, len: number, readable: number): Operation => ({
  op: "pwrite",
  pos,
  len,
  readable,
});

/**
 * Without the operations that leave page cache behind which a short write may make dirty as a
 * whole, or finds dirty already: a truncation or a hole can leave a folio uptodate without the
 * state of its blocks, or blocks dirty that are gone, and a store dirties a whole folio, past EOF
 * too. What lies under such blocks must stay reserved, since writeback will want it
 * (fs/iomap/buffered-io.c iomap_write_delalloc_ifs_punch()).
 */
function onlyWrites(list: readonly Operation[]): Operation[] {
  return list.filter(
    (o) =>
      (o.op === "pwrite" && !isShort(o)) ||
      o.op === "fsync" ||
      o.op === "sync_file_range" ||
      (o.op === "fallocate" && (o.mode === "allocate" || o.mode === "keep_size")),
  );
}

/** The extents that hold data. */
const writtenIn = ({ inode }: ModelSubject): unknown[] =>
  [...inode.i_extents].filter(({ value }) => value === WRITTEN);

const whole = (pos: number, len: number): Operation => ({ op: "pwrite", pos, len, readable: len });

/** Ranges among the first 64 KiB, half of them aligned to 512 bytes. */
const point = fc.oneof(
  fc.nat(2 ** 16),
  fc.nat(128).map((n) => n * 512),
);
const range = fc
  .tuple(point, point)
  .map(([a, b]) => ({ pos: Math.min(a, b), len: Math.abs(a - b) + 1 }));

function law(
  { variant }: Setting,
  numRuns: number,
  holds: (list: Operation[], at: { pos: number; len: number }) => void,
): void {
  // What a device without room leaves is no law of the paths: each goes its own way about an error.
  const fedCases = cases(variant).map((list) => list.map(withoutFaults));
  fc.assert(fc.property(fedCases, range, holds), { numRuns });
}

/**
 * Whether it leaves unwritten blocks, beside which a write that allocates at once may write zeros
 * to them (model/ext4/zeroout.ts): a direct write that fails does too.
 */
function leavesUnwritten(o: Operation): boolean {
  return o.op === "fallocate" || isShortDirect(o) || (o.op === "direct_write" && !isAligned(o));
}

/**
 * Whether it fails on the way: what it wrote until then stays, mapping by mapping, and the paths
 * reserve folios of other sizes.
 */
function isShortDirect(o: Operation): boolean {
  return o.op === "direct_write" && o.readable < o.len;
}

describe("laws of the ideal model", () => {
  test.each(settings)("$name: what is written and then punched is a hole", (setting) => {
    const { config } = setting;
    law(setting, 100, (list, { pos, len }) => {
      const punch: Operation = { op: "fallocate", mode: "punch_hole", pos, len };
      const model = modelAfter(config, [...list, whole(pos, len), punch]);
      const first = Math.ceil(pos / config.blockSize);
      const end = Math.floor((pos + len) / config.blockSize);
      const inside = state(model).map!.filter((e) => e.lblk < end && e.lblk + e.len > first);
      expect(first < end ? inside : []).toEqual([]);
      expect(bytesAt(model.inode, pos, len).every((byte) => byte === 0)).toBe(true);
    });
  });

  test.each(settings)("$name: a second fsync changes nothing", (setting) => {
    const { config } = setting;
    law(setting, 100, (list) => {
      const once = modelAfter(config, [...list, fsync]);
      const twice = modelAfter(config, [...list, fsync, fsync]);
      expect(state(twice)).toEqual(state(once));
      expect(twice.inode.i_disksize).toBe(once.inode.i_disksize);
    });
  });

  test.each(settings)(
    "$name: writing back all ranges, or dropping the cache, is an fsync too",
    (setting) => {
      const { config } = setting;
      law(setting, 100, (list) => {
        const synced = state(modelAfter(config, [...list, fsync]));
        const ranged: Operation = { op: "sync_file_range", ...everywhere };
        expect(state(modelAfter(config, [...list, ranged]))).toEqual(synced);
        expect(state(modelAfter(config, [...list, { op: "drop_cache" }]))).toEqual(synced);
      });
    },
  );

  test.each(settings)("$name: a write may come in two, cut at a block boundary", (setting) => {
    const { config } = setting;
    law(setting, 100, (list, { pos, len }) => {
      const cut = Math.ceil((pos + len / 2) / config.blockSize) * config.blockSize - pos;
      fc.pre(cut > 0 && cut < len);
      const one = modelAfter(config, [...list, whole(pos, len), fsync]);
      const two = modelAfter(config, [
        ...list,
        whole(pos, cut),
        whole(pos + cut, len - cut),
        fsync,
      ]);
      // Blocks that the kernel zeroes around a converted one depend on how the write was cut
      // (ext4/zeroout.ts).
      fc.pre([one, two].every(({ inode }) => inode.maybeZeroed.size === 0));
      expect(state(two)).toEqual(state(one));
    });
  });

  const delayed = settings.filter(({ config }) => config.delalloc);
  test.each(delayed)(
    "$name: without delayed allocation fsync ends with the same map",
    (setting) => {
      const { config } = setting;
      law(setting, 150, (list) => {
        // On the iomap path a mapping ends where a preallocation does, which only an allocation
        // meets: the folios of a write then have other sizes, and a store dirties all of its folio.
        const stores = (o: Operation): boolean => config.path === "iomap" && o.op === "mmap_write";
        const plain = list.filter((o) => !isInterrupted(o) && !leavesUnwritten(o) && !stores(o));
        const at_once = { ...config, delalloc: false, dioread: "lock" as const };
        const expected = state(modelAfter(config, [...plain, fsync]));
        expect(state(modelAfter(at_once, [...plain, fsync]))).toEqual(expected);
      });
    },
  );

  const onIomap = settings.filter(({ config }) => config.path === "iomap");

  test.each(onIomap.filter(({ config }) => config.delalloc))(
    "$name: a delayed write that fails leaves the file as it was",
    (setting) => {
      const { config } = setting;
      law(setting, 150, (all, { pos, len }) => {
        const list = onlyWrites(all);
        const before = state(modelAfter(config, list));
        expect(state(modelAfter(config, [...list, cut(pos, len, 0)]))).toEqual(before);
      });
    },
  );

  test.each(onIomap.filter(({ config }) => config.delalloc))(
    "$name: a delayed write that ends short is a write of what it copied",
    (setting) => {
      const { config } = setting;
      law(setting, 150, (all, { pos, len }) => {
        const list = onlyWrites(all);
        const copied = Math.ceil(len / 2);
        const short = modelAfter(config, [...list, cut(pos, len, copied), fsync]);
        const plain = modelAfter(config, [...list, whole(pos, copied), fsync]);
        expect(state(short)).toEqual(state(plain));
        expect(contentsOf(short)).toEqual(contentsOf(plain));
      });
    },
  );

  test.each(onIomap.filter(({ config }) => !config.delalloc))(
    "$name: what a write that ends short allocated stays, unwritten where it put nothing",
    (setting) => {
      const { config } = setting;
      law(setting, 150, (all, { pos, len }) => {
        const list = onlyWrites(all);
        const before = modelAfter(config, list);
        const copied = len > 2 ** 15 ? 0 : Math.floor(len / 2);
        const after = modelAfter(config, [...list, cut(pos, len, copied), fsync]);
        const written = copied === 0 ? [] : [whole(pos, copied)];
        const synced = modelAfter(config, [...list, ...written, fsync]);
        const size = copied === 0 ? 0 : pos + copied;
        expect(after.inode.i_size).toBe(Math.max(before.inode.i_size, size));
        for (const { lblk, len: blocks, state: is } of state(synced).map!) {
          const kept = [...after.inode.i_extents.within(lblk, lblk + blocks)];
          expect(kept.map(({ value }) => value)).toEqual([is === "written" ? WRITTEN : UNWRITTEN]);
        }
        expect(writtenIn(after)).toEqual(writtenIn(synced));
      });
    },
  );

  test.each(onIomap)("$name: the path makes no difference to what is in the file", (setting) => {
    const { config, variant } = setting;
    const other = settingOf(variant, "6.18").config;
    law(setting, 150, (list) => {
      const plain = list.filter((o) => !isInterrupted(o) && !isShortDirect(o));
      const here = modelAfter(config, [...plain, fsync]);
      const there = modelAfter(other, [...plain, fsync]);
      expect(here.inode.i_size).toBe(there.inode.i_size);
      expect(contentsOf(here)).toEqual(contentsOf(there));
    });
  });
});
