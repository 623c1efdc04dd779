import { describe, expect, test } from "vitest";
import type { FoundDivergence } from "../stored/result.ts";
import type { SupervisorResult } from "../run/supervisor.ts";
import { firstDivergences, verdict } from "./verdict.ts";

const counts = {
  cases: 1000,
  operations: 12_345,
  files: 128,
  checkpoints: 1,
  guesses: 0,
  transient: 0,
  deviations: { "short-write-keeps-reservation": 3 },
  handedOver: {},
};

const mounted = { path: "buffer_head" as const, options: "rw,relatime,commit=86400" };
const nodelalloc = { ...mounted, options: "rw,relatime,nodelalloc,commit=86400" };

const conforming: SupervisorResult = {
  results: [
    { variant: "4k-delalloc", counts, seconds: 1, mounted },
    { variant: "4k-delalloc", counts, seconds: 1, mounted },
    {
      variant: "1k-nodelalloc",
      counts: { ...counts, deviations: {} },
      seconds: 2,
      mounted: nodelalloc,
    },
  ],
  found: [],
  kernels: [],
  guestsLost: 0,
  underWay: new Map(),
  notRun: [],
};

function found(variant: string, number: number, confirmed: boolean): FoundDivergence {
  const operations = [{ op: "fsync" as const }];
  const divergence = { variant, step: 0, operations, kind: "map" as const, message: "no" };
  return { variant, case: number, divergence, confirmed, named: [] };
}

describe("verdict", () => {
  test("adds up the jobs and names the deviations", async () => {
    await expect(verdict(conforming, false)).toMatchFileSnapshot("goldens/verdict-conforms.txt");
  });

  test("a confirmed divergence and one that was not seen again", async () => {
    const result = {
      ...conforming,
      found: [found("4k-delalloc", 9, true), found("1k-nodelalloc", 3, false)],
    };
    await expect(verdict(result, false)).toMatchFileSnapshot("goldens/verdict-diverges.txt");
  });

  test("what was not seen again is no pass", () => {
    const once = { ...conforming, found: [found("1k-nodelalloc", 3, false)] };
    expect(verdict(once, false)).toMatch(/\nNOT REPRODUCED: 1 divergence .*\n$/);
  });

  test("a variant that its time cut off says so, and how much of it was looked at", () => {
    const atIt = { variant: "4k-delalloc", counts, seconds: 1, mounted };
    const cut = { ...conforming, results: [], underWay: new Map([[0, atIt]]) };
    const sentence = verdict(cut, false, { cases: 100_000 }).trimEnd().split("\n").at(-1);
    expect(sentence).toMatch(
      /^CONFORMS: .*; the time was up before all cases of 4k-delalloc; ended before the last look at the disk of 4k-delalloc$/,
    );
    const stopped = verdict(cut, false, { endedEarly: "SIGTERM" });
    expect(stopped).not.toMatch(/last look/);
  });

  test("says what the contract alone judged, and why", () => {
    const promised = { ...mounted, promised: "space runs out there" };
    const judged = { variant: "4k-full", counts, seconds: 1, mounted: promised };
    const text = verdict({ ...conforming, results: [judged] }, false);
    expect(text).toContain("judged by the contract alone\n  4k-full: space runs out there\n");
    expect(verdict(conforming, false)).not.toContain("contract alone");
  });

  test("of several jobs' divergences the first case counts, as with one job", () => {
    const both = [
      found("4k-delalloc", 70, true),
      found("4k-delalloc", 9, true),
      found("4k-delalloc", 5, false),
    ];
    expect(firstDivergences({ ...conforming, found: both }).map((f) => f.case)).toEqual([9]);
  });

  test("a stored case that diverges is told beside the first of the drawn ones behind it", () => {
    const behind = [70, -1, 9].map((number) => found("4k-delalloc", number, true));
    const result = { ...conforming, found: behind };
    expect(firstDivergences(result).map((f) => f.case)).toEqual([-1, 9]);
    expect(verdict(result, false)).toMatch(/\nDIVERGES: in 1 of 2 variants; /);
  });

  test("of several jobs one may have been judged by the contract", () => {
    const promised = "the model does not follow this kernel";
    const [followed] = conforming.results;
    const judged = { ...followed!, mounted: { ...mounted, promised } };
    const text = verdict({ ...conforming, results: [followed!, judged] }, false);
    expect(text).toContain(`judged by the contract alone\n  4k-delalloc: ${promised}\n`);
  });
});
