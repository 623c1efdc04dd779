/**
 * What mutants of the model have to get past, the sharpest and fastest tests first (ci/mutation.vitest.config.ts).
 */
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { checkFile } from "../harness/trace/check.ts";
import { DEFAULT_LIMITS } from "../harness/trace/limits.ts";
import { TraceModel } from "../harness/trace/lockstep.ts";
import { readTrace } from "../harness/trace/read.ts";
import { knownDeviations } from "../model/deviations/index.ts";
import { seededBugs } from "../model/deviations/seeded/index.ts";
import { isMinimal } from "../properties/detection.ts";

await import("../model/interval-map.test.ts");
await import("../model/ext4/zeroout.test.ts");
await import("../model/file-system.test.ts");

const folder = fileURLToPath(new URL("../properties/traces/", import.meta.url));
const files = readdirSync(folder).filter((name) => name.endsWith(".br"));

const own = fileURLToPath(new URL("../properties/traces/all-operations/", import.meta.url));

const SHORT = "short-write-keeps-reservation";
const MOVES = "failed-write-moves-size";
const FREES = "short-write-frees-preallocation";
const NOT_NEW = "delayed-blocks-not-new";

/** How the names of recordings begin that show deviations, and which. */
const shown: [string, string[]][] = [
  ["buffer_head-6.12.delalloc.1024", [SHORT]],
  ["buffer_head-6.18.delalloc", [SHORT, MOVES]],
  ["buffer_head-6.18.nodelalloc", [MOVES, FREES]],
  ["iomap-v1-as-posted.delalloc", [NOT_NEW]],
  ["iomap-v2-as-posted.delalloc", [NOT_NEW]],
];

/** The first case of a recording that diverges. */
async function firstDiverging(file: string): Promise<number | undefined> {
  const ids = shown.find(([name]) => file.startsWith(name))?.[1] ?? [];
  const { header, config, cases } = await readTrace(folder + file);
  const deviations = knownDeviations.filter(({ id }) => ids.includes(id));
  const model = new TraceModel(config, deviations);
  for await (const recorded of cases) {
    const { divergence } = model.run(recorded, { variant: file, blockSize: header.blockSize });
    if (divergence !== undefined) return recorded.number;
  }
  return undefined;
}

describe("traces", () => {
  test.each(readdirSync(own))("%s", async (file) => {
    const allowed = knownDeviations.filter(({ id }) =>
      (file.includes("nodelalloc") ? [MOVES, FREES] : [SHORT, MOVES]).includes(id),
    );
    const result = await checkFile(own + file, {
      allowed,
      only: undefined,
      limits: DEFAULT_LIMITS,
    });
    expect(result.diverging).toBe(0);
  });

  test.each(files)("%s", async (file) => {
    expect(await firstDiverging(file)).toBeUndefined();
  });

  test.each([
    ["buffer_head-6.18.delalloc.1024.jsonl.br", 289],
    ["buffer_head-6.18.nodelalloc.4096.jsonl.br", 89],
  ])("%s without deviations", async (file, diverging) => {
    const options = { only: undefined, limits: DEFAULT_LIMITS, allowed: "none" as const };
    expect((await checkFile(folder + file, options)).diverging).toBe(diverging);
  });
});

describe("seeded", () => {
  test.each(seededBugs)("$id", (bug) => {
    expect(isMinimal(bug)).toBe(true);
  });
});

await import("../properties/deviations.property.test.ts");
await import("../properties/space.property.test.ts");
await import("../properties/model.property.test.ts");
await import("../properties/contents.property.test.ts");
await import("../properties/laws.property.test.ts");
await import("../properties/contract.property.test.ts");
