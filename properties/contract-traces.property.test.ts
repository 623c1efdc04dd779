/**
 * The contract against what kernels did: every recorded case, every step, no kernel and no model
 * needed.
 */
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { findShortest } from "../harness/contract/shortest.ts";
import type { Findings } from "../harness/contract/shortest.ts";
import { describeOperation } from "../harness/operations/operation.ts";
import { readTrace } from "../harness/trace/read.ts";

const folder = fileURLToPath(new URL("traces/", import.meta.url));

const CASES = 400;
const STEPS = 3472;

/**
 * What the patch series break as they were posted: a reservation is released only for IOMAP_F_NEW,
 * which nothing sets.
 */
const leaks = (afterWrite: number, pastEof: number, afterSync: number) => ({
  "released-after-short-write": afterWrite,
  "nothing-delayed-past-eof": pastEof,
  "nothing-delayed-after-sync": afterSync,
});

/**
 * Since 6.16, a write that fails past EOF moves i_size
 * (model/deviations/failed-write-moves-size.ts).
 */
const moves = { "size-follows-writes": 80 };

/**
 * In how many cases each recorded kernel breaks which promise; nothing else may be found, and
 * nothing less.
 *
 * - buffer_head, delayed allocation: reservations past EOF
 *   (model/deviations/short-write-keeps-reservation.ts), until 6.12 only where blocks are smaller
 *   than a page;
 * - buffer_head without: a write that ends short past EOF cuts off what fallocate(2) had put there
 *   (fs/ext4/inode.c ext4_write_end(), ext4_truncate_failed_write());
 * - iomap as posted, delayed allocation: both series break the patch's second promise; with
 *   EXT4_MAP_NEW set for newly reserved blocks nothing is left of that;
 * - iomap without: nothing.
 */
const recordings: Record<string, Record<string, number>> = {
  "buffer_head-6.12.delalloc.1024": leaks(117, 117, 27),
  "buffer_head-6.12.delalloc.4096": {},
  "buffer_head-6.18.delalloc.1024": { ...leaks(190, 190, 55), ...moves },
  "buffer_head-6.18.delalloc.4096": { ...leaks(119, 119, 26), ...moves },
  "buffer_head-6.18.nodelalloc.1024": { "allocated-stays": 15, ...moves },
  "buffer_head-6.18.nodelalloc.4096": { "allocated-stays": 13, ...moves },
  "iomap-v1-as-posted.delalloc.1024": leaks(295, 202, 63),
  "iomap-v1-as-posted.delalloc.4096": leaks(268, 177, 62),
  "iomap-v1-as-posted.nodelalloc.1024": {},
  "iomap-v1-as-posted.nodelalloc.4096": {},
  "iomap-v1-release-fixed.delalloc.1024": {},
  "iomap-v1-release-fixed.delalloc.4096": {},
  "iomap-v2-as-posted.delalloc.1024": leaks(295, 202, 63),
  "iomap-v2-as-posted.delalloc.4096": leaks(269, 177, 62),
  "iomap-v2-as-posted.nodelalloc.1024": {},
  "iomap-v2-as-posted.nodelalloc.4096": {},
};

async function findingsIn(name: string): Promise<Findings> {
  const { config, cases } = await readTrace(`${folder}${name}.jsonl.br`);
  return findShortest(cases, config);
}

/** The shortest sequence that breaks `promise`, as calls. */
function shortestIn(findings: Findings, promise: string): string[] {
  const finding = findings.list.find((f) => f.promise === promise)!;
  return finding.shortest.operations.map(describeOperation);
}

describe("recorded kernels", () => {
  test("every recording is checked", () => {
    const there = readdirSync(folder).filter((name) => name.endsWith(".br"));
    expect(there).toEqual(Object.keys(recordings).map((name) => `${name}.jsonl.br`));
  });

  test.each(Object.entries(recordings))("%s breaks what it breaks", async (name, expected) => {
    const findings = await findingsIn(name);
    expect([findings.cases, findings.operations]).toEqual([CASES, STEPS]);
    expect(Object.fromEntries(findings.list.map((f) => [f.promise, f.cases]))).toEqual(expected);
    for (const { prefix, shortest } of findings.list) {
      expect(shortest.operations.length).toBeLessThanOrEqual(prefix.operations.length);
    }
  });

  test("one failing write shows what the patch leaves behind, and a sync after it that it stays", async () => {
    for (const series of ["v1", "v2"]) {
      const findings = await findingsIn(`iomap-${series}-as-posted.delalloc.4096`);
      expect(shortestIn(findings, "released-after-short-write")).toEqual([
        "pwrite(pos=108892, len=7405, readable=5066)",
      ]);
      expect(shortestIn(findings, "nothing-delayed-after-sync")).toEqual([
        "pwrite(pos=81920, len=4097, readable=0)",
        "fsync()",
      ]);
    }
  });

  test("two operations show that a short write frees what fallocate promised", async () => {
    const findings = await findingsIn("buffer_head-6.18.nodelalloc.4096");
    expect(shortestIn(findings, "allocated-stays")).toEqual([
      "fallocate(zero_range_keep_size, pos=75776, len=20480)",
      "pwrite(pos=16384, len=29086, readable=16384)",
    ]);
  });
});
