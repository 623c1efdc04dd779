/**
 * What deep cases come across: a stated list of what must have met an extent tree of one level of
 * index blocks, and of more. It takes a kernel, since the model leaves out what the tree looks like.
 */
import * as fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { DEEP_PER_MILLE } from "../harness/generation/weights.ts";
import { ON_DISK, TREES } from "../harness/lockstep/statistics.ts";
import type { Statistics } from "../harness/lockstep/statistics.ts";
import { CASES_PER_CHUNK, caseSource, generatedCases } from "../harness/run/chunk.ts";
import { VariantRun } from "../harness/run/variant-run.ts";
import { probeKernel } from "../harness/subjects/probe.ts";
import { machineLacks } from "../harness/system/machine.ts";
import type { KernelTraits } from "../harness/under-test/kernel-traits.ts";
import { variantNamed } from "../harness/under-test/variants.ts";

const lacks = machineLacks();
if (lacks !== undefined) console.warn(`SKIP: ${lacks.message}`);

/** As many deep cases as a run of ten minutes has of each default variant, or fewer. */
const CHUNKS = 4;

/** Kinds that change an extent tree, or look into it. */
const KINDS = [
  "write, whole",
  "write, short",
  "direct write, whole",
  "mmap_write",
  "pread",
  "fsync",
  "sync_file_range",
  "truncate, shorter",
  "truncate, longer",
  "allocate",
  "keep_size",
  "punch_hole",
  "zero_range",
  "collapse_range",
  "insert_range",
  "comb, pwrite",
  "comb, allocate",
  "comb, keep_size",
  "comb, punch_hole",
  "comb, zero_range",
];

let traits: KernelTraits;

beforeAll(async () => {
  if (lacks === undefined) traits = await probeKernel();
});

async function metOn(name: string): Promise<Statistics> {
  const variant = variantNamed(name);
  const source = caseSource(variant, { seed: 7, maxLength: 100, deepTrees: 1000 });
  const options = { traits, strict: false, executor: "ffi", statistics: true } as const;
  const run = await VariantRun.open(variant, options);
  try {
    for (let chunk = 0; chunk < CHUNKS; chunk++) {
      const found = run.runChunk(source, { chunk, end: CASES_PER_CHUNK })?.first;
      expect(found && [found.message, found.operations]).toBeUndefined();
      expect(await run.checkpoint(false)).toEqual([]);
    }
    return run.statistics!;
  } finally {
    run.close();
  }
}

describe.skipIf(lacks !== undefined)(`deep trees ${lacks?.message ?? ""}`, () => {
  test.each(["4k-delalloc", "1k-delalloc", "4k-nodelalloc"])(
    "%s: all of the list",
    async (name) => {
      const met = await metOn(name);
      const cells = [
        ...KINDS.flatMap((kind) => TREES.slice(1).map((tree) => `${kind}|${tree}`)),
        ...ON_DISK.map((column) => `files on disk|${column}`).filter(
          (cell) => name.startsWith("1k") || !cell.endsWith("depth 3"),
        ),
      ];
      expect(cells.filter((cell) => met[cell] === undefined)).toEqual([]);
    },
  );
});

test("about one case in a hundred is deep, and the others are what they would be without", () => {
  const variant = variantNamed("4k-delalloc");
  const drawn = (deepTrees?: number) =>
    fc.sample(generatedCases({ variant, maxLength: 50, deepTrees }), { numRuns: 4000, seed: 3 });
  const [usual, none] = [drawn(), drawn(0)];
  const deep = usual.filter((operations, i) => {
    if (operations[0]?.op === "comb") return true;
    expect(operations).toEqual(none[i]);
    return false;
  });
  expect(deep.length / usual.length).toBeGreaterThan(0.01);
  expect(deep.length / usual.length).toBeLessThan((1.4 * DEEP_PER_MILLE) / 1000);
});
