/**
 * Examples of what generated cases reach too rarely to be proof: how far writing back a range
 * allocates, and the largest file.
 */
import { describe, expect, test } from "vitest";
import type { Operation } from "../harness/operations/operation.ts";
import { variantNamed } from "../harness/under-test/variants.ts";
import type { KernelName } from "../model/kernels/kernels.ts";
import { EFBIG } from "../model/include/errno.ts";
import { modelAfter, settingOf } from "./settings.ts";

const BLOCK = 4096;

/** Four delayed blocks in folios of their own, one extent. */
const fourBlocks: Operation[] = [0, 1, 2, 3].map((n) => ({
  op: "pwrite",
  pos: n * BLOCK,
  len: BLOCK,
  readable: BLOCK,
}));

function mapAfter(kernel: KernelName, list: Operation[]): unknown[] {
  const { config } = settingOf(variantNamed("4k-delalloc"), kernel);
  const { map } = modelAfter(config, list).observe(undefined);
  return map.map(({ lblk, len, state }) => [lblk, len, state]);
}

describe("writing back a range", () => {
  const first: Operation = { op: "sync_file_range", pos: 0, len: BLOCK };

  test("allocates what lies in it, and no more (series v2)", () => {
    expect(mapAfter("series v2", [...fourBlocks, first])).toEqual([
      [0, 1, "written"],
      [1, 3, "delayed"],
    ]);
  });

  test("allocates the delayed extent to its end where bytes are taken for blocks (series v1)", () => {
    expect(mapAfter("series v1", [...fourBlocks, first])).toEqual([
      [0, 1, "written"],
      [1, 3, "unwritten"],
    ]);
  });

  test("of two blocks reaches the second", () => {
    const two: Operation = { op: "sync_file_range", pos: 0, len: 2 * BLOCK };
    expect(mapAfter("series v2", [...fourBlocks, two])).toEqual([
      [0, 2, "written"],
      [2, 2, "delayed"],
    ]);
  });
});

/**
 * fs/ext4/extents.c ext4_insert_range(): what does not fit behind the end of the largest file is
 * refused.
 */
test.each([
  [1, 0],
  [2, EFBIG],
])(
  "inserting %i blocks a block before the end of the largest file returns %i",
  (blocks, result) => {
    const { config } = settingOf(variantNamed("4k-delalloc"), "6.18");
    const model = modelAfter(config, [{ op: "ftruncate", size: (2 ** 32 - 2) * BLOCK }]);
    const insert: Operation = {
      op: "fallocate",
      mode: "insert_range",
      pos: 0,
      len: blocks * BLOCK,
    };
    expect(model.step(insert, 1).result).toBe(result);
  },
);
