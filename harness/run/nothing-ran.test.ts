import { expect, test } from "vitest";
import { CASES_PER_CHUNK } from "./chunk.ts";
import { whyNothingRan } from "./nothing-ran.ts";

const of = (cases: number) => whyNothingRan({ cases, shard: { index: 3, of: 8 }, upSeconds: 0.2 });

test("of few cases a late shard has none, and it is said how many give it one", () => {
  expect(of(20)).toBe(
    "shards have cases by 50, and 20 are enough for 1 of them; --cases 101 gives shard 3 one",
  );
  expect(of(2 * CASES_PER_CHUNK)).toMatch(/enough for 2 of them; --cases 101 /);
  expect(of(2 * CASES_PER_CHUNK + 1)).toBeUndefined();
});

test("of little time it is said where it went, and how much would do", () => {
  expect(whyNothingRan({ seconds: 1, upSeconds: 1.46 })).toBe(
    "the time was up before one could begin, 1.5 s of it until the kernel had answered; --seconds 6 would do",
  );
  expect(whyNothingRan({ upSeconds: 1 })).toBeUndefined();
});
