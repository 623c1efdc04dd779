/**
 * What mutants of the model have to get past, the sharpest and fastest tests first
 * (ci/mutation.vitest.config.ts).
 */
import { describe, expect, test } from "vitest";
import { checkFile } from "../harness/trace/check.ts";
import { DEFAULT_LIMITS } from "../harness/trace/limits.ts";
import { TraceModel } from "../harness/trace/followed.ts";
import { readTrace } from "../harness/trace/read.ts";
import { knownDeviations } from "../model/deviations/index.ts";
import type { Deviation } from "../model/deviations/index.ts";
import { seededBugs } from "../model/deviations/seeded/index.ts";
import { isMinimal } from "../properties/detection.ts";
import {
  ownRecordings,
  ownRecordingsFolder,
  recordings,
  recordingsFolder,
} from "../properties/recordings.ts";
import type { Parts } from "../properties/recordings.ts";

await import("../model/include/interval-map.test.ts");
await import("../model/ext4/zeroout.test.ts");
await import("../model/file-system.test.ts");

/** The known deviations that have a part in a recording. */
function deviationsIn(parts: Parts): Deviation[] {
  return knownDeviations.filter(({ id }) => id in parts);
}

const options = { only: undefined, limits: DEFAULT_LIMITS } as const;

/** The first case of a recording that diverges. */
async function firstDiverging(file: string, parts: Parts): Promise<number | undefined> {
  const { config, cases } = await readTrace(file);
  const model = new TraceModel(config, deviationsIn(parts));
  for await (const recorded of cases) {
    const { divergence } = model.run(recorded, { variant: file, blockSize: config.blockSize });
    if (divergence !== undefined) return recorded.number;
  }
  return undefined;
}

describe("traces", () => {
  test.each(Object.entries(ownRecordings))("%s", async (name, { parts }) => {
    const allowed = deviationsIn(parts);
    const result = await checkFile(`${ownRecordingsFolder}${name}.jsonl.br`, {
      ...options,
      allowed,
    });
    expect(result.diverging).toBe(0);
  });

  test.each(Object.entries(recordings))("%s", async (name, { parts }) => {
    expect(await firstDiverging(`${recordingsFolder}${name}.jsonl.br`, parts)).toBeUndefined();
  });

  test.each(["buffer_head-6.18.delalloc.1024", "buffer_head-6.18.nodelalloc.4096"])(
    "%s without deviations",
    async (name) => {
      const file = `${recordingsFolder}${name}.jsonl.br`;
      const { diverging } = await checkFile(file, { ...options, allowed: "none" });
      expect(diverging).toBe(recordings[name]?.ideal);
    },
  );
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
