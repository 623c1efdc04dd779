import { expect, test } from "vitest";
import type { Divergence } from "../finding/divergence.ts";
import { Findings, SAMPLE_LIMITS, WHOLE_LIMITS } from "./findings.ts";

const divergence: Divergence = {
  variant: "4k-delalloc",
  step: 0,
  operations: [{ op: "fsync" }],
  kind: "map",
  message: "block 0 is delayed, expected hole",
};
const alike = { ...divergence, message: "block 7 is delayed, expected hole" };
const other = { ...divergence, message: "block 0 is a hole, expected delayed" };

test("what looks alike is looked into three times, then taken for what the last became", () => {
  const findings = new Findings([]);
  for (const identity of ["a", "b", "a"]) {
    expect(findings.takenFor(divergence)).toBe(undefined);
    findings.lookedInto(divergence, identity);
  }
  expect(findings.takenFor(alike)).toBe("a");
  expect(findings.takenFor(other)).toBe(undefined);
});

test("so many findings are enough, or so many divergences", () => {
  const [few, many] = [new Findings([]), new Findings([])];
  for (let i = 0; i < SAMPLE_LIMITS.findings; i++) {
    expect(few.enough).toBe(false);
    few.met(`finding ${i}`);
  }
  expect(few.enough).toBe(true);
  for (let i = 0; i < SAMPLE_LIMITS.divergences; i++) {
    expect(many.enough).toBe(false);
    many.met("the same");
  }
  expect(many.enough).toBe(true);
});

test("the time that goes into findings is limited", () => {
  const findings = new Findings([]);
  findings.spent(29_000, "a");
  expect(findings.enough).toBe(false);
  findings.spent(1000, "b");
  expect(findings.enough).toBe(true);
});

test("what is accepted is known, and ends nothing", () => {
  const findings = new Findings(["known"]);
  for (let i = 0; i < 2 * SAMPLE_LIMITS.divergences; i++) findings.met("known");
  findings.spent(60_000, "known");
  for (let i = 0; i < 4; i++) findings.lookedInto(divergence, "known");
  expect(findings.takenFor(alike)).toBe(undefined);
  expect(findings.isKnown("known")).toBe(true);
  expect(findings.any).toBe(false);
  expect(findings.enough).toBe(false);
  findings.met("new");
  expect(findings.any).toBe(true);
});

test("what no fresh image has shown again is not known", () => {
  const findings = new Findings([]);
  findings.met("once", false);
  expect(findings.isKnown("once")).toBe(false);
  expect(findings.any).toBe(true);
  findings.met("once");
  expect(findings.isKnown("once")).toBe(true);
});

test("where all is gone through, it does not matter how often one is met", () => {
  const findings = new Findings([], WHOLE_LIMITS);
  for (let i = 0; i < 2 * SAMPLE_LIMITS.divergences; i++) findings.met("the same");
  expect(findings.enough).toBe(false);
  for (let i = 1; i < WHOLE_LIMITS.findings; i++) findings.met(`finding ${i}`);
  expect(findings.enough).toBe(true);
});
