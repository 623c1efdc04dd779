/**
 * What takes a file system that fills up while writes are still delayed.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { failedZeroingKeepsReservation } from "../../model/deviations/failed-zeroing-keeps-reservation.ts";
import { EIO, ENOSPC } from "../../model/include/errno.ts";
import type { ModelConfig } from "../../model/tables.ts";
import { openImage } from "../subjects/image.ts";
import type { MountedImage } from "../subjects/image.ts";
import { KernelSubject } from "../subjects/kernel-subject.ts";
import { machineLacks } from "../system/machine.ts";
import { probeKernel } from "../subjects/probe.ts";
import { asItDelays } from "../subjects/write-path.ts";
import { modelConfig } from "../under-test/kernel-traits.ts";
import { witnessesOf } from "../lockstep/deviations.ts";
import { runPromised, withContract } from "../lockstep/lockstep.ts";
import type { Operation } from "../operations/operation.ts";
import { variantNamed } from "../under-test/variants.ts";
import { deviationsWithoutRoom } from "./expected-deviations.ts";

const lacks = machineLacks();

const variant = variantNamed("4k-full-delayed");

/** A delayed block at the end of a range that is longer than what is free. */
const [, witness = []] = witnessesOf(failedZeroingKeepsReservation);

/** It, and a read past the page cache of the block that it may have left. */
const operations: Operation[] = [...witness, { op: "direct_read", pos: 262_144, len: 4096 }];

describe.skipIf(lacks !== undefined)(`a full file system ${lacks?.message ?? ""}`, () => {
  let image: MountedImage;
  let subject: KernelSubject;
  let config: ModelConfig;

  beforeAll(async () => {
    const traits = await probeKernel();
    image = await openImage(variant);
    config = modelConfig(asItDelays(image), traits, image.fresh.freeBlocks);
    subject = new KernelSubject(image);
  });

  afterAll(() => {
    subject.release();
    image.close();
  });

  test("a zero_range that fails either gives back what it dropped or does what is claimed", ({
    skip,
  }) => {
    if (!config.delalloc)
      skip("so many processors have a watermark above every reserve: no write is delayed");
    const options = { variant: variant.name, blockSize: variant.blockSize };
    const results: number[] = [];
    const onObservation = ({ result }: { result: number }): number => results.push(result);
    const told = [[], [failedZeroingKeepsReservation]].map((excused) => {
      const how = { mayFillUp: true };
      const promised = withContract({ ...options, onObservation }, config, excused, how);
      return runPromised(subject, operations, promised).divergence?.message;
    });
    const [shows] = told;
    const fails = [4096, ENOSPC, 0];
    const all = [...fails, shows === undefined ? 4096 : EIO];
    // What is not excused ends the case.
    expect(results).toEqual([...(shows === undefined ? all : fails), ...all]);
    expect(shows ?? "nothing-delayed-after-sync").toContain("nothing-delayed-after-sync");
    expect(told[1]).toBeUndefined();
    const expected = deviationsWithoutRoom({ executor: subject, config, options });
    expect(expected.map(({ id }) => id)).toEqual(
      shows === undefined ? [] : [failedZeroingKeepsReservation.id],
    );
  });
});
