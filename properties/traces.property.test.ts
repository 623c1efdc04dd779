/**
 * The model against what kernels did: every recorded case, every step, no kernel needed. A change
 * of the model that only looks right fails here.
 */
import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { checkFile } from "../harness/trace/check.ts";
import type { Allowed } from "../harness/trace/check.ts";
import { DEFAULT_LIMITS } from "../harness/trace/limits.ts";
import { TraceModel } from "../harness/trace/followed.ts";
import { readTrace } from "../harness/trace/read.ts";
import { recordings, recordingsFolder as folder } from "./recordings.ts";

const table = Object.entries(recordings).map(([name, facts]) => ({ name, ...facts }));

function check(name: string, allowed: Allowed) {
  const file = `${folder}${name}.jsonl.br`;
  return checkFile(file, { allowed, only: undefined, limits: DEFAULT_LIMITS });
}

/** Cases that cannot be followed where a fault brings in nothing but its own page. */
async function divergingWithoutReadAhead(name: string): Promise<number> {
  const { deviations, config: told, file } = await check(name, "needed");
  const { config, cases } = await readTrace(file);
  const model = new TraceModel({ ...config, readAheadPages: 0 }, deviations);
  const options = { variant: name, blockSize: told.blockSize };
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
