/**
 * Which deviations are expected where room may run out, of a model that stands in for the kernel.
 */
import { expect, test } from "vitest";
import { failedZeroingKeepsReservation } from "../../model/deviations/failed-zeroing-keeps-reservation.ts";
import { shortWriteKeepsReservation } from "../../model/deviations/short-write-keeps-reservation.ts";
import type { Deviation } from "../../model/deviations/index.ts";
import { kernels } from "../../model/kernels/kernels.ts";
import { knownConfig } from "../under-test/kernel-traits.ts";
import { ModelSubject } from "../lockstep/model-subject.ts";
import type { Observation } from "../case/observation.ts";
import type { Operation } from "../operations/operation.ts";
import { variantNamed } from "../under-test/variants.ts";
import { deviationsWithoutRoom } from "./expected-deviations.ts";

const variant = variantNamed("4k-full");

/** What is expected of `kernel`, a model, where it has so many free blocks. */
function expectedOf(
  deviations: readonly Deviation[],
  freeBlocks: number,
  { supports = true, kernel = ModelSubject } = {},
): string[] {
  const config = { ...knownConfig(variant, kernels["6.12"]), freeBlocks };
  const overrides = deviations.map(({ override }) => override);
  const executor = Object.assign(new kernel(config, overrides), { supports: () => supports });
  const options = { variant: variant.name, blockSize: variant.blockSize };
  return deviationsWithoutRoom({ executor, config, options }).map(({ id }) => id);
}

const { id } = failedZeroingKeepsReservation;

test("one that breaks its promise where room runs out is expected", () => {
  expect(expectedOf([failedZeroingKeepsReservation], 48)).toEqual([id]);
  expect(expectedOf([failedZeroingKeepsReservation], 6)).toEqual([id]);
});

test("none is expected of a kernel that keeps the promise, where there is room, or of what cannot be performed", () => {
  expect(expectedOf([], 48)).toEqual([]);
  expect(expectedOf([failedZeroingKeepsReservation], 1000)).toEqual([]);
  expect(expectedOf([failedZeroingKeepsReservation], 48, { supports: false })).toEqual([]);
});

test("nor of one that keeps a block reserved where zero_range succeeds: that is another bug", () => {
  class Keeping extends ModelSubject {
    override step(operation: Operation, index: number): Observation {
      const seen = super.step(operation, index);
      const [zeroed] = seen.map;
      if (index === 0 || zeroed === undefined) return seen;
      const last = { lblk: zeroed.len - 1, len: 1, state: "delayed" as const };
      return { ...seen, map: [{ ...zeroed, len: zeroed.len - 1 }, last], reserved: 1 };
    }
  }
  expect(expectedOf([], 1000, { kernel: Keeping })).toEqual([]);
});

test("one that takes no lack of room is not looked for here", () => {
  expect(expectedOf([shortWriteKeepsReservation], 48)).toEqual([]);
});
