/**
 * Laws of the ideal model: what one sequence of operations has to do with another.
 */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ModelSubject } from "../harness/lockstep/model-subject.ts";
import type { Observation } from "../harness/observation.ts";
import type { Operation } from "../harness/operation.ts";
import { bytesAt } from "../model/file-system.ts";
import { cases, isShort, modelAfter, settings } from "./settings.ts";
import type { Setting } from "./settings.ts";

const fsync: Operation = { op: "fsync" };
const everywhere = { pos: 0, len: 2 ** 44 };

/** What the file is, whatever was called last. */
function state(model: ModelSubject): Partial<Observation> {
  const { map, i_size, reserved, st_blocks } = model.observe(undefined);
  return { map, i_size, reserved, st_blocks };
}

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
  fc.assert(fc.property(cases(variant), range, holds), { numRuns });
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
      // Blocks that the kernel zeroes around a converted one depend on how the write was cut (ext4/zeroout.ts).
      fc.pre(!one.guessed && !two.guessed);
      expect(state(two)).toEqual(state(one));
    });
  });

  const delayed = settings.filter(({ config }) => config.delalloc);
  test.each(delayed)(
    "$name: without delayed allocation fsync ends with the same map",
    (setting) => {
      const { config } = setting;
      law(setting, 150, (list) => {
        const plain = list.filter((o) => !isShort(o) && o.op !== "fallocate");
        const at_once = { ...config, delalloc: false, dioread: "lock" as const };
        const expected = state(modelAfter(config, [...plain, fsync]));
        expect(state(modelAfter(at_once, [...plain, fsync]))).toEqual(expected);
      });
    },
  );
});
