/**
 * A campaign in shards comes to the same as one run, on the kernel that is running.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { builtCommand } from "../host/built-command.ts";
import { machineLacks } from "../system/machine.ts";
import type { RunResult } from "../stored/result.ts";

const lacks = machineLacks()?.message;
if (lacks !== undefined) console.warn(`SKIP: ${lacks}`);

const { folder, conform } = builtCommand("shards");

async function conforms(...args: string[]): Promise<void> {
  const { exitCode, stdout } = await conform(args);
  expect(stdout).toMatch(/^CONFORMS/m);
  expect(exitCode).toBe(0);
}

/** What does not depend on how fast it went, nor on how often it stopped to look at the disk. */
function cameTo(name: string): object {
  const { verdict, seed, variants } = JSON.parse(
    readFileSync(join(folder, name), "utf8"),
  ) as RunResult;
  return {
    verdict,
    seed,
    variants: variants.map(({ variant, mounted, counts }) => {
      const { cases, operations, files, guesses, deviations } = counts;
      return { variant, mounted, cases, operations, files, guesses, deviations };
    }),
  };
}

describe.skipIf(lacks !== undefined)("a campaign", () => {
  test("in shards, with several jobs each, comes to what one run does", async () => {
    const campaign = ["--variant", "4k-delalloc,1k-nodelalloc", "--cases", "420", "--seed", "12"];
    await conforms("run", ...campaign, "--result", "whole.json");
    const shards = ["1/3", "2/3", "3/3"].map((shard) => ({ shard, file: `${shard[0]}.json` }));
    for (const [index, { shard, file }] of shards.entries()) {
      const jobs = index === 1 ? "2" : "1";
      await conforms("run", ...campaign, "--shard", shard, "--jobs", jobs, "--result", file);
    }
    await conforms("merge", ...shards.map(({ file }) => file), "--result", "merged.json");
    expect(cameTo("merged.json")).toEqual(cameTo("whole.json"));
  });
});
