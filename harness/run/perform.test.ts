/**
 * How many workers a run has that names no number.
 */
import { availableParallelism } from "node:os";
import { expect, test } from "vitest";
import { usualJobs } from "./perform.ts";

const MUCH = 1;

test("one has this machine's kernel for itself", () => {
  expect(usualJobs(false, { memory: MUCH })).toBe(1);
});

test("a guest for each processor, where there is work and memory for them", () => {
  expect(usualJobs(true, { memory: MUCH })).toBe(Math.min(4, availableParallelism()));
  expect(usualJobs(true, { cases: 50, memory: MUCH })).toBe(1);
  expect(usualJobs(true, { memory: 2 ** 30 })).toBe(1);
});
