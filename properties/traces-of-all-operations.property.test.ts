/**
 * The model against what a kernel did with every kind of operation, its own recordings (`trace
 * record`, version 2): moved blocks, ranged write-back, dropped caches, and the bytes of every
 * read, by their digest.
 */
import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { checkFile } from "../harness/trace/check.ts";
import { DEFAULT_LIMITS } from "../harness/trace/limits.ts";
import { ownRecordings as recordings, ownRecordingsFolder as folder } from "./recordings.ts";

describe("recordings of all operations", () => {
  test("every recording is replayed", () => {
    expect(readdirSync(folder)).toEqual(Object.keys(recordings).map((name) => `${name}.jsonl.br`));
  });

  test.each(Object.entries(recordings))(
    "%s: model and contract agree with every step",
    async (name, { cases = 300, steps, parts }) => {
      const options = { allowed: "needed", only: undefined, limits: DEFAULT_LIMITS } as const;
      const result = await checkFile(`${folder}${name}.jsonl.br`, options);
      expect(result.first).toBeUndefined();
      expect(result).toMatchObject({ cases, steps, compared: steps, diverging: 0 });
      expect(Object.fromEntries(result.parts)).toEqual(parts);
    },
  );
});
