import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UsageError } from "../case/failure.ts";
import { jobOf, parseShard } from "./shard.ts";

describe("a shard", () => {
  test("is a number, a slash, and how many there are", () => {
    expect(parseShard("1/1")).toEqual({ index: 1, of: 1 });
    expect(parseShard("3/12")).toEqual({ index: 3, of: 12 });
  });

  test.each(["0/2", "3/2", "1", "1/0", "-1/2", "1/2/3", "a/b", "1/10001", "1.5/2", " 1/2"])(
    "is not %j",
    (text) => {
      expect(() => parseShard(text)).toThrow(UsageError);
      expect(() => parseShard(text)).toThrow(/is no shard/);
    },
  );

  test("shares all chunks with the others, and each chunk is run once", () => {
    // The jobs of each shard.
    const campaign = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(campaign, (shards) => {
        const chunks = 50;
        const of = shards.length;
        const ran = shards.flatMap((jobs, i) =>
          Array.from({ length: jobs }, (_, job) => jobOf({ index: i + 1, of }, job, jobs)).flatMap(
            ({ job: first, jobs: step }) =>
              Array.from({ length: chunks }, (_, n) => first + n * step).filter((c) => c < chunks),
          ),
        );
        expect(ran.toSorted((a, b) => a - b)).toEqual(Array.from({ length: chunks }, (_, c) => c));
      }),
    );
  });
});
