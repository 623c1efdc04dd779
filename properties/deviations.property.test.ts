/**
 * Every known deviation that shows after an operation is one that this harness would find by
 * itself, without a kernel: the model with it stands in for the kernel.
 */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  modelWith,
  needsDeviation,
  shownDeviations,
  witnessOf,
} from "../harness/lockstep/deviations.ts";
import { runCase } from "../harness/lockstep/lockstep.ts";
import { isRecordable } from "../harness/operations/operation.ts";
import type { Operation } from "../harness/operations/operation.ts";
import { deviationsOfSteps, stepDeviations, watchedDeviations } from "../model/deviations/index.ts";
import type { Deviation, Witness } from "../model/deviations/index.ts";
import { failedWriteMovesSize } from "../model/deviations/failed-write-moves-size.ts";
import { failedZeroingKeepsReservation } from "../model/deviations/failed-zeroing-keeps-reservation.ts";
import { shortWriteFreesPreallocation } from "../model/deviations/short-write-frees-preallocation.ts";
import { shortWriteKeepsReservation } from "../model/deviations/short-write-keeps-reservation.ts";
import { operations } from "../harness/generation/operations.ts";
import { withoutPages } from "./page-cache.ts";
import { casesToFind, modelAfter, operationsToShow, settingFor, settings } from "./settings.ts";
import type { Setting } from "./settings.ts";

function settingOf({ witness }: Deviation): Setting {
  return settingFor(witness);
}

/**
 * The step after which the ideal model differs from the one with the deviation; undefined where
 * none does.
 */
function differsAt(deviation: Deviation, list: readonly Operation[]): number | undefined {
  const { config, variant } = settingOf(deviation);
  const deviated = modelWith(config, [deviation]);
  const kernel = deviation.visible === "page cache" ? deviated : withoutPages(deviated);
  const options = { variant: variant.name, blockSize: variant.blockSize };
  return runCase(modelWith(config, []), kernel, list, options).divergence?.step;
}

/** Those that show after an operation, on either path. */
const watched = [...new Set([...watchedDeviations("buffer_head"), ...watchedDeviations("iomap")])];

describe("known deviations", () => {
  test("there are some that show after an operation", () => {
    expect(watched.map(({ id }) => id)).toContain("short-write-keeps-reservation");
    expect(watched.length).toBeGreaterThan(1);
  });

  const shownTogether = stepDeviations("buffer_head").filter(
    ({ witness }) => witness.variant === "4k-delalloc" && witness.freeBlocks === undefined,
  );
  const sets: (Omit<Witness, "operations"> & { shown: readonly Deviation[] })[] = [
    ...watched.map((one) => ({ ...one.witness, shown: [one] })),
    { kernel: "6.18", variant: "4k-delalloc", shown: shownTogether },
    // By their other witnesses.
    { kernel: "6.12", variant: "1k-delalloc", shown: [shortWriteKeepsReservation] },
    {
      kernel: "6.12",
      variant: "4k-nodelalloc",
      shown: [shortWriteFreesPreallocation, failedWriteMovesSize],
    },
    {
      kernel: "6.18",
      variant: "4k-delalloc",
      freeBlocks: 48,
      shown: [failedZeroingKeepsReservation],
    },
    { kernel: "6.18", variant: "4k-delalloc", shown: [] },
    { kernel: "series v2", variant: "4k-delalloc", shown: [] },
  ];
  test.each(sets.map((set) => ({ ...set, ids: set.shown.map(({ id }) => id).join() })))(
    "$variant of a kernel like $kernel that shows '$ids': those are found",
    ({ shown, ...on }) => {
      const { config, variant } = settingFor({ ...on, operations: [] });
      const options = { variant: variant.name, blockSize: variant.blockSize };
      expect(shownDeviations(config, modelWith(config, shown), options)).toEqual(shown);
    },
  );

  test("one that can make no difference is not found", () => {
    const { config, variant } = settings.find(({ name }) => name === "4k-nodelalloc on 6.18")!;
    const options = { variant: variant.name, blockSize: variant.blockSize };
    const shown = shownDeviations(config, modelWith(config, watched), options);
    expect(shown.map(({ id }) => id)).not.toContain("short-write-keeps-reservation");
  });

  test.each(watched)("$id: is needed for its witness and for nothing else", (one) => {
    const { config, variant } = settingOf(one);
    const options = { variant: variant.name, blockSize: variant.blockSize };
    const needed = [witnessOf(one), [{ op: "fsync" as const }]].map((list) => {
      const kernel = modelWith(config, [one]);
      const recorded = list.map((operation, i) => kernel.step(operation, i));
      return needsDeviation(config, [one], one, list, recorded, options);
    });
    expect(needed).toEqual([true, false]);
  });

  test.each(watched)("$id: shows on its witness, at the latest after the last operation", (one) => {
    expect(differsAt(one, witnessOf(one))).toBeLessThan(one.witness.operations.length);
  });

  test.each(watched)("$id: has a witness without an operation to spare", (one) => {
    const witness = witnessOf(one);
    // An fsync shows that the difference lasts (see below); it makes none.
    const made = [...witness.keys()].filter((at) => witness[at]!.op !== "fsync");
    for (const at of made) {
      expect([at, differsAt(one, witness.toSpliced(at, 1))]).toEqual([at, undefined]);
    }
    expect(made.length).toBeGreaterThan(0);
  });

  test.each(watched)("$id: still shows after its witness", (one) => {
    const { config } = settingOf(one);
    const [ideal, deviated] = [[], [one.override]].map((overrides) => {
      const model = modelAfter(config, witnessOf(one), overrides);
      return model.observe(undefined);
    });
    expect(deviated).not.toEqual(ideal);
  });

  // Not what shows only in the page cache: first-byte-not-ordered takes 6,000 to more than 20,000
  // cases.
  test.each(deviationsOfSteps)(
    "$id: is found, and shrunk to its witness or two operations",
    (one) => {
      const { variant } = settingOf(one);
      // What a run generates, where it takes what versions 1 and 2 of recordings do not hold.
      const everything = witnessOf(one).some((operation) => !isRecordable(operation));
      const arbitrary = operations({ variant, maxLength: 200, everything });
      for (const seed of [1, 2, 3, 4, 5]) {
        const found = fc.check(
          fc.property(arbitrary, (list) => differsAt(one, list) === undefined),
          { seed, numRuns: casesToFind(one) },
        );
        expect(found.counterexample?.[0].length).toBeLessThanOrEqual(operationsToShow(one));
      }
    },
  );

  test.each(watched)(
    "$id: the model says that it had a part, and the ideal model never does",
    (one) => {
      const { config } = settingOf(one);
      const model = modelWith(config, [one]);
      for (const [i, operation] of witnessOf(one).entries()) model.step(operation, i);
      expect([...model.inode.deviated]).toEqual([one.id]);
      const ideal = modelWith(config, []);
      for (const [i, operation] of witnessOf(one).entries()) ideal.step(operation, i);
      expect([...ideal.inode.deviated]).toEqual([]);
    },
  );
});
