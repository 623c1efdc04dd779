import { describe, expect, test } from "vitest";
import type { FoundDivergence } from "../stored/result.ts";
import type { SupervisorResult } from "../run/supervisor.ts";
import { verdict } from "./verdict.ts";

const counts = {
  cases: 1000,
  tries: 0,
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
  return { variant, case: number, divergence, confirmed, named: [], met: 1 };
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
      /^CONFORMS: .*; the time was up before all cases of 4k-delalloc; ended before the last look at the disk of 4k-delalloc; known: accounting /,
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

  test("findings are ranked, and each is told once, whatever variants showed it", async () => {
    const lost = found("4k-delalloc", 12, true);
    lost.divergence = { ...lost.divergence, kind: "contents", message: "byte 4 is 0" };
    const accounts = { ...found("4k-delalloc", 70, true), met: 12 };
    accounts.divergence = { ...accounts.divergence, kind: "reserved", message: "1, expected 0" };
    const again = { ...accounts, variant: "1k-nodelalloc", met: 3, confirmed: false };
    const files = new Map([[accounts, "counterexamples/4k-delalloc-reserved-123456.json"]]);
    const result = { ...conforming, found: [again, accounts, lost] };
    const text = verdict(result, false, { files });
    await expect(text).toMatchFileSnapshot("goldens/verdict-ranked.txt");
  });

  test("what was accepted fails nothing, and is told", () => {
    const accepted = { ...found("4k-delalloc", 9, true), accepted: "known.json" };
    const text = verdict({ ...conforming, found: [accepted] }, false);
    expect(text).toContain("  4k-delalloc: 1 case, accepted by known.json\n");
    expect(text).toMatch(/ conforms\n/);
    expect(text).toMatch(/\nCONFORMS: .*; 1 case ended at what was accepted; known: /);
  });

  test("a variant that was left with what was found says so", () => {
    const [followed] = conforming.results;
    const left = { ...followed!, foundEnough: true };
    const result = { ...conforming, results: [left], found: [found("4k-delalloc", 9, true)] };
    expect(verdict(result, false)).toMatch(
      /; the rest of 4k-delalloc was not run: enough was found\n$/,
    );
  });

  test("what cases were tried to come down to is counted apart", () => {
    const [one] = conforming.results;
    const tried = { ...one!, counts: { ...counts, tries: 1234 } };
    const result = { ...conforming, results: [tried], found: [found("4k-delalloc", 9, true)] };
    expect(verdict(result, false)).toMatch(
      /variant; 1,000 cases, 1,234 tries to make them smaller, 12,345 operations\n$/,
    );
  });

  test("of several jobs one may have been judged by the contract", () => {
    const promised = "the model does not follow this kernel";
    const [followed] = conforming.results;
    const judged = { ...followed!, mounted: { ...mounted, promised } };
    const text = verdict({ ...conforming, results: [followed!, judged] }, false);
    expect(text).toContain(`judged by the contract alone\n  4k-delalloc: ${promised}\n`);
  });
});
