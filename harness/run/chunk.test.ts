import { describe, expect, test } from "vitest";
import { ModelBroken } from "../../model/include/assert.ts";
import { operations } from "../generation/operations.ts";
import { CASES_PER_CHUNK, caseNumbered, checkChunk, chunkSeed } from "./chunk.ts";
import { EnvironmentError } from "../case/failure.ts";
import type { Operation } from "../operations/operation.ts";

const arbitrary = operations({ variant: { blockSize: 4096, imageSize: 2 ** 28 }, maxLength: 20 });
const options = { arbitrary, seed: 1, cases: CASES_PER_CHUNK, shrinkMs: 10_000 };

const syncs = (operations: Operation[]): boolean => operations.some(({ op }) => op === "fsync");

function breaks(operations: Operation[]): boolean {
  if (syncs(operations)) throw new ModelBroken("a promise");
  return false;
}

function breaksAlone(operations: Operation[]): boolean {
  if (syncs(operations) && operations.length === 1) throw new ModelBroken("a promise");
  return syncs(operations);
}

describe("checkChunk", () => {
  test("runs every case, the same ones for the same seed", () => {
    const runs = [1, 1, 2].map((seed) => {
      const seen: Operation[][] = [];
      checkChunk({ ...options, seed }, (operations) => {
        seen.push(operations);
        return false;
      });
      return seen;
    });
    expect(runs[0]).toHaveLength(CASES_PER_CHUNK);
    expect(runs[1]).toEqual(runs[0]);
    expect(runs[2]).not.toEqual(runs[0]);
  });

  test("shrinks the first case that fails", () => {
    const shrunk = checkChunk(options, syncs);
    expect(shrunk?.operations).toEqual([{ op: "fsync" }]);
  });

  test("a broken model is thrown with the shortest case that breaks it", () => {
    expect(() => checkChunk(options, breaks)).toThrow('a promise, in [{"op":"fsync"}]');
  });

  test("a machine that cannot go on ends the chunk, without shrinking", () => {
    let calls = 0;
    const error = new EnvironmentError("no-space", "the disk is full", "Make room.");
    const failing = (): boolean => {
      calls += 1;
      throw error;
    };
    expect(() => checkChunk(options, failing)).toThrow(error);
    expect(calls).toBe(1);
  });

  test("a machine that cannot go on while shrinking takes nothing from what was found", () => {
    const seen: Operation[][] = [];
    const failing = (operations: Operation[]): boolean => {
      seen.push(operations);
      if (seen.length > 1) throw new EnvironmentError("process-failed", "it is gone", "Look.");
      return true;
    };
    expect(checkChunk(options, failing)).toMatchObject({ index: 0, operations: seen[0] });
    expect(seen).toHaveLength(2);
  });

  test("a model that breaks while a divergence is shrunk does not hide it", () => {
    expect(checkChunk(options, breaksAlone)?.operations).toHaveLength(2);
  });
});

describe("chunkSeed", () => {
  test("differs between chunks and between neighbouring seeds", () => {
    const seeds = [1, 2, 3].flatMap((seed) =>
      Array.from({ length: 1000 }, (_, chunk) => chunkSeed(seed, chunk)),
    );
    expect(new Set(seeds).size).toBe(seeds.length);
  });
});

describe("caseNumbered", () => {
  test("draws the case that a run with this seed came to, from its number alone", () => {
    const seed = 7;
    for (const chunk of [0, 3]) {
      const seen: Operation[][] = [];
      checkChunk({ ...options, seed: chunkSeed(seed, chunk) }, (operations) => {
        seen.push(operations);
        return false;
      });
      const again = seen.map((_, i) => caseNumbered(arbitrary, seed, chunk * CASES_PER_CHUNK + i));
      expect(again).toEqual(seen);
    }
  });
});
