import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { divergence } from "../finding/divergence.ts";
import { UsageError } from "../case/failure.ts";
import { merge } from "./merge.ts";
import type { Observation } from "../case/observation.ts";
import { resultSchema } from "../stored/result.ts";
import type { RunResult } from "../stored/result.ts";

let folder = "";
let printed = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "conform-merge-"));
  printed = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    printed += String(text);
    return true;
  });
});

afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

const counts = {
  cases: 100,
  tries: 0,
  operations: 1000,
  files: 14,
  checkpoints: 1,
  guesses: 2,
  transient: 0,
  handedOver: {},
};

function shard(index: number, fields: Partial<RunResult> = {}): RunResult {
  const mounted = { path: "buffer_head" as const, options: "rw" };
  return {
    format: "ext4-conform result",
    version: 1,
    tool: "0.1.0",
    kernel: {
      what: "./linux",
      kind: "user-mode Linux",
      guest: true,
      append: [],
      commandLine: `init=/tmp/${index}`,
      release: "7.3.4",
      machine: "x64",
    },
    seed: 7,
    strict: false,
    cases: 300,
    shard: { index, of: 3 },
    seconds: index,
    verdict: "conforms",
    variants: [
      {
        variant: "4k-delalloc",
        counts: { ...counts, deviations: { "short-write-keeps-reservation": index } },
        seconds: 10 * index,
        mounted,
      },
    ],
    divergences: [],
    ...fields,
  };
}

const finding = (number: number): RunResult["divergences"][number] => ({
  variant: "4k-delalloc",
  case: number,
  divergence: {
    variant: "4k-delalloc",
    step: 0,
    operations: [{ op: "pwrite", pos: 0, len: 4096, readable: 4096 }],
    kind: "contract",
    message: `a promise broken in case ${number}`,
  },
  confirmed: true,
  named: [],
  met: 1,
});

function write(result: object, name = `${Math.random()}.json`): string {
  const file = join(folder, name);
  writeFileSync(file, JSON.stringify(result));
  return file;
}

function merging(...results: object[]): { status: () => number; out: string } {
  const files = results.map((result, i) => write(result, `${i}.json`));
  const out = join(folder, "merged.json");
  return { status: () => merge({ files, save: join(folder, "found"), result: out }), out };
}

describe("merging shards", () => {
  test("adds up what they ran, whatever their order", () => {
    const { status, out } = merging(shard(3), shard(1), shard(2));
    expect(status()).toBe(0);
    const merged = resultSchema.parse(JSON.parse(readFileSync(out, "utf8")));
    expect(merged.shard).toBeUndefined();
    expect(merged.variants).toEqual([
      {
        variant: "4k-delalloc",
        counts: {
          cases: 300,
          tries: 0,
          operations: 3000,
          files: 42,
          checkpoints: 3,
          guesses: 6,
          transient: 0,
          deviations: { "short-write-keeps-reservation": 6 },
          handedOver: {},
        },
        seconds: 30,
        mounted: { path: "buffer_head", options: "rw" },
      },
    ]);
    expect(merged.seconds).toBe(3);
    expect(printed).toMatch(/kernel 7\.3\.4 x64 \(user-mode Linux\) {3}seed 7 {3}3 of 3 shards\n/);
    expect(printed).toMatch(/CONFORMS: no unnamed divergence in 300 cases, 3,000 operations/);
    expect(printed).toMatch(/short-write-keeps-reservation: in 6 cases/);
  });

  test("reports each finding once, and says how often all of them met it", () => {
    const diverges = { verdict: "diverges" as const };
    const { status } = merging(
      shard(1),
      shard(2, { ...diverges, divergences: [finding(70)], divergedAfter: 2 }),
      shard(3, { ...diverges, divergences: [finding(20)], divergedAfter: 1 }),
    );
    expect(status()).toBe(1);
    expect(printed.match(/^FAIL/gm)).toHaveLength(1);
    expect(printed).toMatch(
      /node dist\/ext4-conform\.js replay --kernel \.\/linux .*4k-delalloc-contract-[\da-f]{6}\.json/,
    );
    expect(printed).toMatch(/\n {4}4k-delalloc: 2 cases,\s.*\.json\n/);
    expect(printed).toMatch(/DIVERGES: in 1 of 1 variant/);
  });

  test("without one of them is no verdict", () => {
    const { status, out } = merging(shard(1), shard(3));
    expect(status()).toBe(4);
    expect(printed).toMatch(/INCOMPLETE: without shard 2\n/);
    expect(() => readFileSync(out)).toThrow(/ENOENT/);
  });

  test("without one of them is still a finding where another found something", () => {
    const found = { verdict: "diverges" as const, divergences: [finding(20)] };
    expect(merging(shard(1, found), shard(3)).status()).toBe(1);
  });

  test.each<[string, RunResult, RegExp]>([
    ["of another seed", shard(2, { seed: 8 }), /their seed differ, 7 and 8/],
    ["of another length", shard(2, { cases: 400 }), /their number of cases differ, 300 and 400/],
    [
      "of a kernel with other options",
      shard(2, { kernel: { ...shard(2).kernel, append: ["nodelalloc"] } }),
      /their options of the kernel differ/,
    ],
    [
      "of another kernel",
      shard(2, { kernel: { ...shard(2).kernel, release: "7.2.0" } }),
      /their kernel differ, 7\.3\.4 x64 and 7\.2\.0 x64/,
    ],
    [
      "of a campaign in other parts",
      shard(2, { shard: { index: 2, of: 4 } }),
      /their number of shards differ, 3 and 4/,
    ],
    ["twice", shard(1), /are both shard 1 of 3/],
  ])("refuses one %s", (_, other, message) => {
    const { status } = merging(shard(1), other);
    expect(status).toThrow(UsageError);
    expect(status).toThrow(message);
  });

  test("refuses what is no result, in one line with the place", () => {
    expect(merging({ format: "something else" }).status).toThrow(/is not an ext4-conform result/);
    const broken = { ...shard(1), variants: [{ variant: 7 }] };
    expect(merging(broken).status).toThrow(/variants\[0\]\.variant: expected string/);
    expect(merging({ ...shard(1), surprise: 1 }).status).toThrow(/surprise/);
  });
});

test("a count is read under the name that it had before", () => {
  const text = JSON.stringify(shard(1)).replaceAll('"transient":0', '"momentary":3');
  expect(resultSchema.parse(JSON.parse(text)).variants[0]?.counts.transient).toBe(3);
});

test("all that a divergence may hold can be read again", () => {
  const map = [{ lblk: 0, len: 1, state: "written" as const }];
  const bytes = Uint8Array.from([1, 2, 3]);
  const observed: Required<Observation> = {
    result: 0,
    i_size: 3,
    st_blocks: 8,
    map,
    windows: undefined,
    pieces: 1,
    breaks: [],
    reserved: -1,
    pages: { cached: 1, dirty: 0 },
    cache: map,
    read: bytes,
    during: [{ result: 0, i_size: 3, reserved: 0 }],
    cut: { commits: 2, file: { i_size: 3, map, bytes }, complaints: ["no"] },
    commits: 2,
  };
  const operations = [{ op: "fsync" as const }, { op: "power_cut" as const }];
  const { divergence: told, ...found } = finding(1);
  const made = divergence({
    ...told,
    operations,
    before: [{ operations, kept: true }],
    step: 1,
    kind: "power-cut",
    expected: observed,
    seen: observed,
    evidence: ["so it is"],
  });
  const result = shard(1, { divergences: [{ ...found, divergence: made }] });
  expect(resultSchema.parse(JSON.parse(JSON.stringify(result)))).toEqual(result);
});
