/**
 * Every seeded bug is found, soon, and what is left of the case when it is shrunk is its witness:
 * the proof that generation, comparison and shrinking are sharp enough for a bug of this kind in a
 * kernel.
 */
import { readFileSync, readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { witnessOf } from "../harness/lockstep/deviations.ts";
import { knownDeviations } from "../model/deviations/index.ts";
import { seededBugs } from "../model/deviations/seeded/index.ts";
import { detect, isMinimal, SEEDS } from "./detection.ts";
import { detectionTable } from "./detection-table.ts";

const narrow = (text: string): string => text.replaceAll(" ", "").replaceAll(/-{3,}/g, "---");

/** Cases within which every bug must be found; a run of the tool makes some hundred a second. */
const CASES = 300;

/**
 * This one needs a write that is synced, by itself, beside one that is not, further out, and the
 * power cut between that and any fsync.
 */
const RARE = new Map([["size-before-data", 1000]]);

const folder = new URL("../model/deviations/", import.meta.url);

describe("seeded bugs", () => {
  test("there is one to a file, each with a name of its own", () => {
    const files = readdirSync(new URL("seeded/", folder)).filter((name) => name !== "index.ts");
    const ids = seededBugs.map(({ id }) => id);
    expect(ids.map((id) => `${id}.ts`).toSorted()).toEqual(files.toSorted());
    expect(new Set([...ids, ...knownDeviations.map(({ id }) => id)]).size).toBe(
      ids.length + knownDeviations.length,
    );
    expect(ids.length).toBeGreaterThanOrEqual(20);
  });

  test.each(seededBugs)("$id: its witness shows it, without an operation to spare", (bug) => {
    expect(isMinimal(bug)).toBe(true);
  });

  test.each(seededBugs)("$id: is found, and shrunk to its witness", (bug) => {
    const limit = RARE.get(bug.id) ?? CASES;
    for (const seed of SEEDS) {
      const { cases, shrunk } = detect(bug, seed, limit);
      expect(cases).toBeLessThanOrEqual(limit);
      expect(shrunk).toEqual(witnessOf(bug));
    }
  });

  test("the table in the documentation is what this finds", () => {
    // Formatted, the columns are as wide as what is in them.
    const text = readFileSync(new URL("README.md", folder), "utf8");
    expect(narrow(text)).toContain(narrow(detectionTable()));
  });
});
