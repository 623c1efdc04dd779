/**
 * Power cuts on the running kernel: what the model says a replayed journal leaves, after any
 * operation, is what it leaves.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { machineLacks } from "../harness/system/machine.ts";
import { openImage } from "../harness/subjects/image.ts";
import type { MountedImage } from "../harness/subjects/image.ts";
import { KernelSubject } from "../harness/subjects/kernel-subject.ts";
import { probeKernel } from "../harness/subjects/probe.ts";
import { modelConfig } from "../harness/under-test/kernel-traits.ts";
import type { KernelTraits } from "../harness/under-test/kernel-traits.ts";
import { modelWith, witnessOf } from "../harness/lockstep/deviations.ts";
import { runCase } from "../harness/lockstep/lockstep.ts";
import { generatedCases } from "../harness/run/chunk.ts";
import { supported } from "../harness/subjects/executor.ts";
import { VariantRun } from "../harness/run/variant-run.ts";
import { readCounterexample } from "../harness/stored/counterexample.ts";
import { variantNamed } from "../harness/under-test/variants.ts";
import { seededBugs } from "../model/deviations/seeded/index.ts";
import { testSeed } from "./seed.ts";

const folder = new URL("power-cuts/", import.meta.url);
const stored = readdirSync(folder).map((name) => ({
  name,
  ...readCounterexample(join(folder.pathname, name)),
}));

const lacks = machineLacks()?.message;
if (lacks !== undefined) console.warn(`SKIP: ${lacks}`);

/** Where each kind of allocation and of conversion is: a cut costs a tenth of a second. */
const names = ["4k-delalloc", "1k-delalloc", "4k-nodelalloc", "4k-dioread-lock"];
const CASES = 12;

let traits: KernelTraits;

beforeAll(async () => {
  if (lacks === undefined) traits = await probeKernel();
});

describe.skipIf(lacks !== undefined).each(names)("%s", (name) => {
  const variant = variantNamed(name);
  let run: VariantRun;

  beforeAll(async () => {
    run = await VariantRun.open(variant, { traits, strict: false, executor: "ffi" });
  });

  afterAll(() => run.close());

  test.each(stored)("$name: $claim", ({ operations }) => {
    expect(run.replay(operations)?.message).toBeUndefined();
  });

  test("generated cases with one each", () => {
    const generated = generatedCases({ variant, maxLength: 20, powerCuts: 1000 });
    const cases = fc.sample(generated, { seed: testSeed, numRuns: CASES });
    for (const operations of cases) {
      expect(operations.some(({ op }) => op === "power_cut")).toBe(true);
      expect(run.replay(operations)?.message).toBeUndefined();
    }
  });
});

describe.skipIf(lacks !== undefined)("a model that is wrong of what is left is found out", () => {
  let image: MountedImage;
  let subject: KernelSubject;

  beforeAll(async () => {
    image = await openImage(variantNamed("4k-delalloc"));
    subject = new KernelSubject(image);
  });

  afterAll(() => {
    subject.release();
    image.close();
  });

  test.each(seededBugs.filter(({ visible }) => visible === "power cut"))("$id", (bug) => {
    const { variant } = image;
    const config = modelConfig(variant, traits, image.fresh.freeBlocks);
    const operations = supported(subject, witnessOf(bug));
    const options = { variant: variant.name, blockSize: variant.blockSize };
    const { divergence } = runCase(modelWith(config, [bug]), subject, operations, options);
    // Of some only the blocks are other ones.
    expect(divergence?.kind).toMatch(/^power-cut(-map)?$/);
    expect(divergence?.step).toBe(operations.length - 1);
  });
});
