/**
 * The model against what kernels did: every recorded case, every step, no kernel needed. A change of the model that
 * only looks right fails here.
 */
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { checkFile } from "../harness/trace/check.ts";
import type { Allowed } from "../harness/trace/check.ts";
import { DEFAULT_LIMITS } from "../harness/trace/limits.ts";
import { TraceModel } from "../harness/trace/lockstep.ts";
import { readTrace } from "../harness/trace/read.ts";

const folder = fileURLToPath(new URL("traces/", import.meta.url));

const SHORT = "short-write-keeps-reservation";
const MOVES = "failed-write-moves-size";
const FREES = "short-write-frees-preallocation";
const NOT_NEW = "delayed-blocks-not-new";

/**
 * The recordings; which known deviations each needs and in how many cases they have a part; how many cases cannot be
 * followed without them, and without read-ahead: what the model must not agree with by accident. 6.12 keeps
 * reservations of short writes only where blocks are smaller than a page.
 */
const recordings: Record<string, { parts: object; ideal: number; ahead: number }> = {
  "buffer_head-6.12.delalloc.1024": { parts: { [SHORT]: 295 }, ideal: 189, ahead: 0 },
  "buffer_head-6.12.delalloc.4096": { parts: {}, ideal: 0, ahead: 0 },
  "buffer_head-6.18.delalloc.1024": { parts: { [SHORT]: 351, [MOVES]: 172 }, ideal: 289, ahead: 6 },
  "buffer_head-6.18.delalloc.4096": { parts: { [SHORT]: 351, [MOVES]: 150 }, ideal: 234, ahead: 5 },
  "buffer_head-6.18.nodelalloc.1024": { parts: { [MOVES]: 172, [FREES]: 16 }, ideal: 91, ahead: 6 },
  "buffer_head-6.18.nodelalloc.4096": { parts: { [MOVES]: 150, [FREES]: 14 }, ideal: 89, ahead: 5 },
  "iomap-v1-as-posted.delalloc.1024": { parts: { [NOT_NEW]: 347 }, ideal: 296, ahead: 25 },
  "iomap-v1-as-posted.delalloc.4096": { parts: { [NOT_NEW]: 345 }, ideal: 271, ahead: 25 },
  "iomap-v1-as-posted.nodelalloc.1024": { parts: {}, ideal: 0, ahead: 25 },
  "iomap-v1-as-posted.nodelalloc.4096": { parts: {}, ideal: 0, ahead: 25 },
  "iomap-v1-release-fixed.delalloc.1024": { parts: {}, ideal: 0, ahead: 25 },
  "iomap-v1-release-fixed.delalloc.4096": { parts: {}, ideal: 0, ahead: 25 },
  "iomap-v2-as-posted.delalloc.1024": { parts: { [NOT_NEW]: 347 }, ideal: 296, ahead: 1 },
  "iomap-v2-as-posted.delalloc.4096": { parts: { [NOT_NEW]: 345 }, ideal: 272, ahead: 1 },
  "iomap-v2-as-posted.nodelalloc.1024": { parts: {}, ideal: 0, ahead: 1 },
  "iomap-v2-as-posted.nodelalloc.4096": { parts: {}, ideal: 0, ahead: 1 },
};

const table = Object.entries(recordings).map(([name, facts]) => ({ name, ...facts }));

function check(name: string, allowed: Allowed) {
  const file = `${folder}${name}.jsonl.br`;
  return checkFile(file, { allowed, only: undefined, limits: DEFAULT_LIMITS });
}

/** Cases that cannot be followed where a fault brings in nothing but its own page. */
async function divergingWithoutReadAhead(name: string): Promise<number> {
  const { deviations, header, file } = await check(name, "needed");
  const { config, cases } = await readTrace(file);
  const readAhead = { pages: 0, growsFrom: "window" } as const;
  const model = new TraceModel({ ...config, readAhead }, deviations);
  const options = { variant: name, blockSize: header.blockSize };
  let diverging = 0;
  for await (const recorded of cases) {
    if (model.run(recorded, options).divergence !== undefined) diverging += 1;
  }
  return diverging;
}

describe("recorded kernels", () => {
  test("every recording is replayed", () => {
    const files = readdirSync(folder).filter((name) => name.endsWith(".br"));
    expect(files).toEqual(Object.keys(recordings).map((name) => `${name}.jsonl.br`));
  });

  test.each(table)("$name: the model agrees with every step", async ({ name, parts }) => {
    const result = await check(name, "needed");
    expect(result.first).toBeUndefined();
    expect(result).toMatchObject({ cases: 400, steps: 3472, compared: 3472, diverging: 0 });
    expect(Object.fromEntries(result.parts)).toEqual(parts);
  });

  test.each(table)("$name: $ideal cases show a known deviation", async ({ name, ideal }) => {
    expect((await check(name, "none")).diverging).toBe(ideal);
  });

  test.each(table)("$name: $ahead cases show read-ahead", async ({ name, ahead }) => {
    expect(await divergingWithoutReadAhead(name)).toBe(ahead);
  });
});
