/**
 * The main job in small, on the running kernel: every variant, the corpus, some chunks, a
 * checkpoint.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CASES_PER_CHUNK, caseSource } from "../harness/run/chunk.ts";
import { Confirmation } from "../harness/run/confirm.ts";
import { readCorpus } from "../harness/stored/corpus.ts";
import { witnessOf } from "../harness/lockstep/deviations.ts";
import type { KernelTraits } from "../harness/under-test/kernel-traits.ts";
import { failNth } from "../harness/system/fail-nth.ts";
import { machineLacks } from "../harness/system/machine.ts";
import { probeKernel } from "../harness/subjects/probe.ts";
import { failNthOf } from "../harness/operations/operation.ts";
import { corpusDirectory } from "../harness/host/package.ts";
import { testSeed } from "./seed.ts";
import { VariantRun } from "../harness/run/variant-run.ts";
import { variantNamed } from "../harness/under-test/variants.ts";
import { isModelled } from "../harness/case/variant.ts";
import type { Variant } from "../harness/case/variant.ts";
import { variants } from "../images/variants.ts";
import { knownDeviations } from "../model/deviations/index.ts";

const lacks = machineLacks();
if (lacks !== undefined) console.warn(`SKIP: ${lacks.message}`);

const CHUNKS = 3;

let traits: KernelTraits;

function confirmationOf(variant: Variant, strict: boolean): Confirmation {
  return new Confirmation(variant, { traits, strict, executor: "ffi" });
}

beforeAll(async () => {
  if (lacks === undefined) traits = await probeKernel();
});

describe
  .skipIf(lacks !== undefined)
  .each(variants.map((variant) => [variant.name, variant] as const))("%s", (_, variant) => {
  const source = caseSource(variant, { seed: testSeed, maxLength: 100 });
  let run: VariantRun;

  beforeAll(async () => {
    run = await VariantRun.open(variant, { traits, strict: false, executor: "ffi" });
  });

  afterAll(() => run.close());

  test.each(readCorpus(corpusDirectory).map((stored) => [stored.name, stored] as const))(
    "%s",
    (_name, { operations }) => {
      expect(run.replay(operations)).toBeUndefined();
    },
  );

  test("conforms after every operation and on disk", async () => {
    for (let chunk = 0; chunk < CHUNKS; chunk++) {
      expect(run.runChunk(source, { chunk, end: CASES_PER_CHUNK })?.first).toBeUndefined();
      expect(run.session.checkpointDue ? await run.checkpoint(false) : []).toEqual([]);
    }
    expect(run.counts.cases).toBeGreaterThanOrEqual(CHUNKS * CASES_PER_CHUNK);
    expect(await run.checkpoint(true)).toEqual([]);
    // Where there is hardly a free block, one file can take all that kept files may hold: then it
    // is one a chunk.
    expect(run.counts.files).toBeGreaterThanOrEqual(isModelled(variant) ? 11 : CHUNKS);
  });
});

describe.skipIf(lacks !== undefined)("known deviations", () => {
  test.for(
    knownDeviations
      .filter(({ path }) => path !== "iomap")
      .map((deviation) => [deviation.id, deviation] as const),
  )(
    "%s: the kernel either does what it should or exactly what is claimed",
    async ([, deviation], { skip }) => {
      const variant = variantNamed(deviation.witness.variant);
      const operations = witnessOf(deviation);
      const lacksMemory = operations.some((operation) => failNthOf(operation) !== undefined);
      if (lacksMemory && failNth() === undefined) skip("this kernel has no fault injection");
      const confirmation = confirmationOf(variant, true);
      const strict = await confirmation.run(operations);
      const lenient = await confirmationOf(variant, false).run(operations);
      expect(lenient).toBeUndefined();
      const named = (await confirmation.named(operations)) ?? [];
      const { visible, id } = deviation;
      const what = named.find((one) => one === id) ?? strict?.kind;
      const shown = strict === undefined ? "nothing" : (what ?? "something else");
      const kinds = { checkpoint: "on-disk-size", unmount: "kernel-log", "power cut": "contents" };
      const proof = { step: id, "page cache": id, ...kinds };
      expect(["nothing", id, proof[visible]]).toContain(shown);
    },
  );
});
