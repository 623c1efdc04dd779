/**
 * Invariants of the model, after every operation of any case, without a kernel (see invariants.ts).
 */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hasTwoFiles, isStarved } from "../harness/operations/operation.ts";
import { ModelSubject } from "../harness/lockstep/model-subject.ts";
import { shortWriteKeepsReservation } from "../model/deviations/short-write-keeps-reservation.ts";
import { witnessOf } from "../harness/lockstep/deviations.ts";
import type { Override } from "../model/tables.ts";
import type { Inode } from "../model/include/types.ts";
import { operations } from "../harness/generation/operations.ts";
import { broken } from "./invariants.ts";
import { cases, isShort, modelAfter, settings } from "./settings.ts";

describe("invariants of the ideal model", () => {
  test.each(settings)("$name: hold after every operation", ({ variant, config }) => {
    fc.assert(
      fc.property(cases(variant), (list) => {
        const model = new ModelSubject(config);
        for (const [i, operation] of list.entries()) {
          const seen = model.step(operation, i);
          expect(broken(operation, model.inode, config.freeBlocks)).toEqual([]);
          const held = seen.map.reduce((blocks, { len }) => blocks + len, 0);
          expect(seen.st_blocks * 512).toBe(held * config.blockSize);
        }
        const { i_sb } = model.inode;
        model.end();
        expect(i_sb.s_freeclusters_counter).toBe(config.freeBlocks);
        expect(i_sb.s_dirtyclusters_counter).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  test.each(settings)("$name: fsync writes i_disksize", ({ variant, config }) => {
    fc.assert(
      fc.property(cases(variant), (list) => {
        // On the iomap path the size waits for the I/O to succeed, which what was refused never
        // does.
        const whole = list.filter((o) => !isShort(o) && !isStarved(o));
        const { inode } = modelAfter(config, [...whole, { op: "fsync" }]);
        expect(inode.i_disksize).toBe(inode.i_size);
      }),
      { numRuns: 150 },
    );
  });
});

describe("two files", () => {
  test.each(settings)("$name: what is reserved and what is held is that of both", (setting) => {
    const { variant, config } = setting;
    const generated = operations({ variant, maxLength: 40, everything: true, twoFiles: true });
    fc.assert(
      fc.property(generated, (list) => {
        const model = new ModelSubject(config);
        for (const [i, operation] of list.entries()) model.apply(operation, i);
        const { s_inodes, s_dirtyclusters_counter, s_freeclusters_counter } = model.inode.i_sb;
        const sum = (of: (inode: Inode) => number): number =>
          [...s_inodes].reduce((total, inode) => total + of(inode), 0);
        expect(s_inodes.size).toBe(hasTwoFiles(list) ? 2 : 1);
        expect(s_dirtyclusters_counter).toBe(sum((inode) => inode.i_reserved_data_blocks));
        expect(model.observe(undefined).reserved).toBe(s_dirtyclusters_counter);
        const held = sum((inode) => inode.i_extents.covered);
        expect(s_freeclusters_counter + held).toBe(config.freeBlocks);
        model.end();
        expect([s_inodes.size, model.inode.i_sb.s_dirtyclusters_counter]).toEqual([0, 0]);
      }),
      { numRuns: 150 },
    );
  });
});

const leak = witnessOf(shortWriteKeepsReservation);

/** Ways to break the model, and an invariant that says so. */
const faults: { name: string; override: Override; says: RegExp }[] = [
  {
    name: "a reservation that is not used up by an allocation",
    override: () => ({ ext4_da_update_reserve_space: () => {} }),
    says: /blocks are reserved, \d+ are delayed/,
  },
  {
    name: "a reservation that the file system never gets back",
    override: () => ({
      ext4_da_release_space(inode, to_free) {
        inode.i_reserved_data_blocks -= to_free;
      },
    }),
    says: /its only file/,
  },
  {
    name: "blocks that are taken out of the extent tree and not freed",
    override: () => ({
      ext4_ext_remove_space: (inode, lblk, len) => inode.i_extents.delete(lblk, lblk + len),
    }),
    says: /are free or held/,
  },
  {
    name: "an extent status tree that misses what is allocated",
    override: (base) => ({
      ext4_es_insert_extent(inode, lblk, len, status) {
        base.ext4_es_insert_extent(inode, lblk, Math.min(len, 1), status);
      },
    }),
    says: /delayed|extent status tree says/,
  },
  {
    name: "a page cache that a truncation does not touch",
    override: () => ({ truncate_inode_pages_range: () => {} }),
    says: /./,
  },
  {
    name: "writeback that stops after one page",
    override: (base) => ({
      writepages: (inode, start, end) => base.writepages(inode, start, Math.min(end, start)),
    }),
    says: /after fsync/,
  },
  {
    name: "a short write that keeps its reservation",
    override: shortWriteKeepsReservation.override,
    says: /is delayed, but nothing will write it|blocks are delayed after fsync/,
  },
];

describe("invariants of a broken model", () => {
  const { variant, config } = settings.find(({ name }) => name === "4k-delalloc on 6.18")!;

  test.each(faults)("$name: some do not hold", ({ override, says }) => {
    const found = fc.check(
      fc.property(cases(variant), (list) => {
        const model = new ModelSubject(config, [override]);
        for (const [i, operation] of list.entries()) {
          model.step(operation, i);
          expect(broken(operation, model.inode, config.freeBlocks)).toEqual([]);
        }
      }),
      { seed: 1, numRuns: 500 },
    );
    expect(found.failed).toBe(true);
    const [list] = found.counterexample!;
    const { inode } = modelAfter(config, list, [override]);
    expect(broken(list.at(-1)!, inode, config.freeBlocks).join("\n")).toMatch(says);
  });

  test("the witness of the known leak breaks them too", () => {
    const { inode } = modelAfter(config, leak, [shortWriteKeepsReservation.override]);
    expect(broken(leak.at(-1)!, inode, config.freeBlocks)).toEqual([
      "block 0 is delayed, but nothing will write it",
      "1 blocks are delayed after fsync",
    ]);
  });
});
