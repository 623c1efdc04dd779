/**
 * Writes that sleep inside the kernel, written down in pauses/: each does the same however often it
 * is repeated.
 */
import { join } from "node:path";
import { readdirSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { machineLacks } from "../harness/system/machine.ts";
import { pausedWriter } from "../harness/system/paused-writer.ts";
import { probeKernel } from "../harness/subjects/probe.ts";
import type { KernelTraits } from "../harness/under-test/kernel-traits.ts";
import { VariantRun } from "../harness/run/variant-run.ts";
import { readCounterexample } from "../harness/stored/counterexample.ts";
import { modelWith } from "../harness/lockstep/deviations.ts";
import { variants } from "../images/variants.ts";
import { settingOf } from "./settings.ts";

const REPETITIONS = 1000;
/** Milliseconds: most of them take one, the one of two megabytes ten. */
const TIME = 120_000;

const folder = new URL("pauses/", import.meta.url);
const scenarios = readdirSync(folder)
  .filter((name) => name.endsWith(".json"))
  .map((name) => ({ name, ...readCounterexample(join(folder.pathname, name)) }));

const lacks =
  machineLacks()?.message ??
  (pausedWriter() === undefined ? "this kernel has no userfaultfd, or not for us" : undefined);
if (lacks !== undefined) console.warn(`SKIP: ${lacks}`);

let traits: KernelTraits;

beforeAll(async () => {
  if (lacks === undefined) traits = await probeKernel();
});

test("there are ten of them and more, each with a claim", () => {
  expect(scenarios.length).toBeGreaterThanOrEqual(10);
  for (const { claim, operations } of scenarios) {
    expect(claim).toMatch(/\.$/);
    expect(operations.some(({ op }) => op === "paused_write")).toBe(true);
  }
});

describe("on the model the write comes to its pause, on every path", () => {
  const where = ["6.12", "6.18", "7.3", "series v2"] as const;
  test.each(where)("%s", (kernel) => {
    for (const { variant, operations } of scenarios) {
      const known = variants.find(({ name }) => name === variant.name)!;
      const model = modelWith(settingOf(known, kernel).config, []);
      model.begin();
      for (const [index, operation] of operations.entries()) {
        const { during } = model.step(operation, index);
        const looks = operation.op === "paused_write" ? operation.during.length + 1 : undefined;
        expect(during?.length).toBe(looks);
      }
    }
  });
});

describe.skipIf(lacks !== undefined)("a thousand times on the running kernel", () => {
  test.each(scenarios)(
    "$name: $claim",
    async ({ variant, operations }) => {
      const run = await VariantRun.open(variant, { traits, strict: false, executor: "ffi" });
      try {
        for (let i = 0; i < REPETITIONS; i++) expect(run.replay(operations)).toBeUndefined();
      } finally {
        run.close();
      }
    },
    TIME,
  );
});
