/**
 * The model where space runs out. No recording reaches that, so what must hold is all that can be
 * held against it: nothing is promised twice, nothing that is there is refused, and a call that
 * fails leaves the accounts in order.
 */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ModelSubject } from "../harness/lockstep/model-subject.ts";
import type { Operation } from "../harness/operations/operation.ts";
import { ENOSPC } from "../model/include/errno.ts";
import { broken } from "./invariants.ts";
import { cases, settings } from "./settings.ts";
import type { Setting } from "./settings.ts";

/** So few that a write or two fill the file system, and a truncation empties it again. */
const blocks = fc.integer({ min: 1, max: 64 });

/** A multiple of every page and block size, past everything that a case of `cases` can reach. */
const FAR = 2 ** 41;

/** Blocks that are free and not promised to anyone. */
function available({ inode }: ModelSubject): number {
  const { s_freeclusters_counter, s_dirtyclusters_counter } = inode.i_sb;
  return s_freeclusters_counter - s_dirtyclusters_counter;
}

/**
 * A model with `freeBlocks` after the operations, each of them followed by a look at the accounts.
 */
function fullModel({ config }: Setting, list: readonly Operation[], freeBlocks: number) {
  const model = new ModelSubject({ ...config, freeBlocks });
  for (const [i, operation] of list.entries()) {
    model.step(operation, i);
    expect(available(model)).toBeGreaterThanOrEqual(0);
    expect(broken(operation, model.inode, freeBlocks)).toEqual([]);
  }
  return model;
}

describe("a file system that runs full", () => {
  /**
   * fs/ext4/inode.c ext4_da_reserve_space(), fs/ext4/mballoc.c ext4_mb_new_blocks(): a block is had
   * where one is free; of those that the running transaction freed after a commit (fs/ext4/balloc.c
   * ext4_should_retry_alloc()).
   */
  test.each(settings)("$name: a write gets the last block, and no more", (setting) => {
    const { variant, config } = setting;
    fc.assert(
      fc.property(cases(variant), blocks, (list, freeBlocks) => {
        const model = fullModel(setting, list, freeBlocks);
        const len = config.blockSize;
        const expected = available(model) > 0 ? len : ENOSPC;
        const write: Operation = { op: "pwrite", pos: FAR, len, readable: len };
        expect(model.step(write, list.length).result).toBe(expected);
        expect(broken(write, model.inode, freeBlocks)).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  /**
   * fs/ext4/extents.c ext4_alloc_file_blocks() goes on until all is there or nothing is left;
   * fs/ext4/mballoc.c ext4_mb_new_blocks() takes fewer where there are fewer.
   */
  test.each(settings)("$name: fallocate takes what there is", (setting) => {
    const { variant, config } = setting;
    fc.assert(
      fc.property(cases(variant), blocks, blocks, (list, freeBlocks, wanted) => {
        const model = fullModel(setting, list, freeBlocks);
        const before = available(model);
        const held = model.inode.i_extents.covered;
        const len = wanted * config.blockSize;
        const { result } = model.step(
          { op: "fallocate", mode: "keep_size", pos: FAR, len },
          list.length,
        );
        expect(result).toBe(wanted <= before ? 0 : ENOSPC);
        expect(model.inode.i_extents.covered - held).toBe(Math.min(wanted, before));
        expect(available(model)).toBe(before - Math.min(wanted, before));
      }),
      { numRuns: 60 },
    );
  });
});
