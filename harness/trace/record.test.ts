import { expect, test } from "vitest";
import { operations } from "../generation/operations.ts";
import type { Operation } from "../operations/operation.ts";
import { CASES_PER_CHUNK, checkChunk, chunkSeed } from "../run/chunk.ts";
import { variantNamed } from "../under-test/variants.ts";
import { chunksOf } from "./record.ts";

test("what is recorded are the cases of a run with the same seed", () => {
  const variant = variantNamed("1k-delalloc");
  const recorded = [...chunksOf(variant, { cases: 70, maxLength: 50 }, 7)].flat();
  const ran: Operation[][] = [];
  for (const chunk of [0, 1]) {
    const cases = Math.min(CASES_PER_CHUNK, 70 - chunk * CASES_PER_CHUNK);
    const arbitrary = operations({ variant, maxLength: 50 });
    checkChunk({ arbitrary, seed: chunkSeed(7, chunk), cases, shrinkMs: 1000 }, (drawn) => {
      ran.push(drawn);
      return false;
    });
  }
  expect(recorded).toHaveLength(70);
  expect(recorded).toEqual(ran);
});
