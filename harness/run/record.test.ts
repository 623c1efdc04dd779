import { expect, test } from "vitest";
import type { Operation } from "../operations/operation.ts";
import { variantNamed } from "../under-test/variants.ts";
import { CASES_PER_CHUNK, caseSource, checkChunk, chunkSeed } from "./chunk.ts";
import { chunksOf } from "./record.ts";

test("what is recorded are the cases of a run with the same seed", () => {
  const variant = variantNamed("4k-thin");
  const from = { seed: 7, maxLength: 50, powerCuts: 100 };
  const recorded = [...chunksOf({ ...from, variant, cases: 70 })].flat();
  const ran: Operation[][] = [];
  const { arbitrary } = caseSource(variant, from);
  for (const chunk of [0, 1]) {
    const cases = Math.min(CASES_PER_CHUNK, 70 - chunk * CASES_PER_CHUNK);
    checkChunk({ arbitrary, seed: chunkSeed(7, chunk), cases, shrinkMs: 1000 }, (drawn) => {
      ran.push(drawn);
      return false;
    });
  }
  expect(recorded).toHaveLength(70);
  expect(recorded).toEqual(ran);
});
