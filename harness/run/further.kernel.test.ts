/**
 * A case whose first symptom is small goes on to its end: what is reported is the worst that
 * follows.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { witnessOf } from "../lockstep/deviations.ts";
import { knownDeviations } from "../../model/deviations/index.ts";
import { builtCommand } from "../host/built-command.ts";
import { machineLacks } from "../system/machine.ts";

const lacks = machineLacks()?.message;
if (lacks !== undefined) console.warn(`SKIP: ${lacks}`);

const { folder, conform } = builtCommand("further");

describe.skipIf(lacks !== undefined)("a finding", () => {
  test("of a page that is not written is one of data that a power cut loses", async ({ skip }) => {
    const ordered = knownDeviations.find(({ id }) => id === "first-byte-not-ordered")!;
    const file = join(folder, "page.json");
    const stored = { format: "ext4-conform counterexample", version: 1, variant: "4k-delalloc" };
    writeFileSync(file, JSON.stringify({ ...stored, operations: witnessOf(ordered) }));
    const { stdout, exitCode } = await conform(["replay", "--strict", file]);
    skip(
      exitCode === 0,
      "this kernel has no such fault: 7.3 and later, and some without cachestat",
    );
    expect(stdout).toMatch(/^FAIL {2}.*power cut/);
    expect(stdout).toMatch(/\n> 4 {2}power_cut\(\)/);
    expect(readFileSync(file, "utf8")).not.toContain("power_cut");
  });
});
