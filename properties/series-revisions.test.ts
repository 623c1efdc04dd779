/**
 * What a kernel with the series of October 2026 did, in the shortest cases that told it from version
 * 2, and what the model of each says of them.
 */
import { describe, expect, test } from "vitest";
import { modelWith, witnessOf } from "../harness/lockstep/deviations.ts";
import type { Operation } from "../harness/operations/operation.ts";
import { knownConfig } from "../harness/under-test/kernel-traits.ts";
import { variantNamed } from "../harness/under-test/variants.ts";
import { knownDeviations } from "../model/deviations/index.ts";
import { releaseTakesBlockOfEof } from "../model/deviations/release-takes-block-of-eof.ts";
import { shortWriteKeepsReservation } from "../model/deviations/short-write-keeps-reservation.ts";
import { kernels } from "../model/kernels/kernels.ts";
import { settingOf } from "./settings.ts";

const write = (pos: number, len: number): Operation => ({ op: "pwrite", pos, len, readable: len });

/** The blocks of the file, as "1+1 delayed", and its pages. */
function after(
  kernel: "series v2" | "series 7.4-dev",
  operations: readonly Operation[],
  variant = "4k-delalloc",
) {
  const { config } = settingOf(variantNamed(variant), kernel);
  const shown = knownDeviations.filter(({ seenIn }) =>
    seenIn.some((where) => where.startsWith(kernel)),
  );
  const model = modelWith(config, shown);
  model.begin();
  const seen = operations.map((operation, index) => model.step(operation, index)).at(-1)!;
  const blocks = seen.map.map(({ lblk, len, state }) => `${lblk}+${len} ${state}`).join(", ");
  return { blocks, pages: seen.pages, read: seen.read };
}

describe("what differs from version 2 to October 2026", () => {
  test.each<[string, Operation[], string, string]>([
    [
      "a hole is written back before its blocks go",
      [write(4096, 1024), { op: "fallocate", mode: "punch_hole", pos: 4096, len: 512 }],
      "1+1 delayed",
      "1+1 written",
    ],
    [
      "the zeroed tail of a truncated file stays dirty",
      [write(0, 4096), { op: "ftruncate", size: 512 }],
      "0+1 written",
      "0+1 delayed",
    ],
    [
      "a write that fails gives back what it reserved",
      [{ op: "pwrite", pos: 0, len: 4096, readable: 0 }],
      "0+1 delayed",
      "",
    ],
  ])("%s", (_, operations, v2, october) => {
    expect(after("series v2", operations).blocks).toBe(v2);
    expect(after("series 7.4-dev", operations).blocks).toBe(october);
  });

  test("a folio that was zeroed for a copy is not uptodate before it, and a short one is rejected", () => {
    const short: Operation = { op: "pwrite", pos: 512, len: 8192, readable: 512 };
    expect(after("series v2", [short]).pages).toEqual({ cached: 2, dirty: 2 });
    expect(after("series 7.4-dev", [short]).pages).toEqual({ cached: 1, dirty: 1 });
  });

  test("EOF's block stays a hole though its page is dirty, and is not dirty itself", () => {
    const operations: Operation[] = [
      write(0, 1024),
      { op: "ftruncate", size: 1536 },
      { op: "fallocate", mode: "allocate", pos: 1024, len: 1024 },
      { op: "fsync" },
    ];
    const blocks = (["series v2", "series 7.4-dev"] as const).map(
      (kernel) => after(kernel, operations, "1k-nodelalloc").blocks,
    );
    // Version 2 zeroes it once it has a block.
    expect(blocks).toEqual(["0+2 written", "0+1 written, 1+1 unwritten"]);
  });

  // A write of which nothing is copied leaves both blocks dirty in a folio past EOF.
  test("a file that grows keeps what memory has past EOF", () => {
    const operations: Operation[] = [
      { op: "pwrite", pos: 0, len: 2048, readable: 0 },
      { op: "ftruncate", size: 1024 },
      { op: "ftruncate", size: 2048 },
      { op: "fsync" },
    ];
    const variant = variantNamed("1k-delalloc");
    const { changes } = kernels["7.3"];
    const [before, now] = [changes, [...changes, "keep-pages-when-growing" as const]].map((all) => {
      const config = knownConfig(variant, { path: "buffer_head", changes: all });
      const model = modelWith(config, [shortWriteKeepsReservation]);
      model.begin();
      const seen = operations.map((operation, index) => model.step(operation, index)).at(-1)!;
      return seen.map.map(({ len, state }) => `${len} ${state}`).join(", ");
    });
    expect([before, now]).toEqual(["1 written, 1 delayed", "2 written"]);
  });

  test("zero_range over EOF's block leaves a page, and what was synced before", () => {
    const zero: Operation = { op: "fallocate", mode: "zero_range", pos: 0, len: 4096 };
    const none = { cached: 0, dirty: 0 };
    expect(after("series v2", [write(0, 512), zero]).pages).toEqual(none);
    expect(after("series 7.4-dev", [write(0, 512), zero]).pages).toEqual({ cached: 1, dirty: 1 });
    const synced: Operation[] = [write(0, 512), { op: "fsync" }, zero, { op: "drop_cache" }];
    const read: Operation = { op: "pread", pos: 0, len: 4096 };
    const [v2, october] = (["series v2", "series 7.4-dev"] as const).map(
      (kernel) => after(kernel, [...synced, read]).read!,
    );
    expect(v2!.every((byte) => byte === 0)).toBe(true);
    expect(october!.subarray(0, 512).some((byte) => byte !== 0)).toBe(true);
    expect(october!.subarray(512).every((byte) => byte === 0)).toBe(true);
  });

  test("a store into EOF's block during a write that then fails is lost", () => {
    const lost: Operation[] = [...witnessOf(releaseTakesBlockOfEof), { op: "fsync" }];
    expect(after("series v2", lost).blocks).toBe("0+1 written");
    expect(after("series 7.4-dev", lost).blocks).toBe("");
  });
});
