/**
 * Which deviations are expected where room may run out, of a model that stands in for the kernel.
 */
import { expect, test } from "vitest";
import { failedZeroingKeepsReservation } from "../../model/deviations/failed-zeroing-keeps-reservation.ts";
import { shortWriteKeepsReservation } from "../../model/deviations/short-write-keeps-reservation.ts";
import type { Deviation } from "../../model/deviations/index.ts";
import { kernels } from "../../images/kernels.ts";
import { knownConfig } from "../kernel-traits.ts";
import { modelWith } from "../lockstep/deviations.ts";
import { variantNamed } from "../variants.ts";
import { deviationsWithoutRoom } from "./expected-deviations.ts";

/** What is expected of a kernel that has these deviations, on a file system with so many free blocks. */
function expectedOf(deviations: readonly Deviation[], freeBlocks: number, supports = true) {
  const variant = variantNamed("4k-full");
  const config = { ...knownConfig(variant, kernels["6.12"]), freeBlocks };
  const executor = Object.assign(modelWith(config, deviations), { supports: () => supports });
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
  expect(expectedOf([failedZeroingKeepsReservation], 48, false)).toEqual([]);
});

test("one that takes no lack of room is not looked for here", () => {
  expect(expectedOf([shortWriteKeepsReservation], 48)).toEqual([]);
});
