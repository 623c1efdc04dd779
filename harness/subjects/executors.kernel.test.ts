/**
 * The two executors share no code below the operations: the same cases through system calls,
 * through programs, and through the model. Whatever one of them misunderstands, the others do not.
 */
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { operations as operationsArbitrary } from "../generation/operations.ts";
import { modelWith, unmountDeviations } from "../lockstep/deviations.ts";
import { openExecutor, supported } from "./executor.ts";
import type { Executor } from "./executor.ts";
import { KeptFiles } from "../session/kept-files.ts";
import { modelConfig } from "../under-test/kernel-traits.ts";
import { runCase } from "../lockstep/lockstep.ts";
import type { ModelSubject } from "../lockstep/model-subject.ts";
import type { Observation } from "../case/observation.ts";
import type { Operation } from "../operations/operation.ts";
import { variantNamed } from "../under-test/variants.ts";
import { openImage } from "./image.ts";
import type { MountedImage } from "./image.ts";
import { machineLacks } from "../system/machine.ts";
import { probeKernel } from "./probe.ts";

const lacks = machineLacks();
if (lacks !== undefined) console.warn(`SKIP: ${lacks.message}`);

const SEED = 8;
const CASES = 12;

/**
 * What both executors must show alike; pieces and extent-tree blocks depend on placement, entries
 * of a cache on luck.
 */
function comparable({ result, i_size, map, reserved, read }: Observation) {
  return { result, i_size, map, reserved, read };
}

describe.skipIf(lacks !== undefined).each(["4k-delalloc", "1k-nodelalloc"])("%s", (name) => {
  const variant = variantNamed(name);
  const lockstep = { variant: name, blockSize: variant.blockSize };
  let image: MountedImage;
  let ffi: Executor;
  let dd: Executor;
  let model: ModelSubject;

  beforeAll(async () => {
    const traits = await probeKernel();
    image = await openImage(variant);
    ffi = openExecutor("ffi", image);
    dd = openExecutor("dd", image);
    const config = modelConfig(variant, traits, image.fresh.freeBlocks);
    model = modelWith(config, unmountDeviations(traits.atUnmount));
  });

  afterAll(() => {
    ffi.release();
    dd.release();
    image.close();
  });

  function cases(): Operation[][] {
    const arbitrary = operationsArbitrary({ variant, maxLength: 12 });
    return fc
      .sample(arbitrary, { seed: SEED, numRuns: 10 * CASES })
      .map((operations) => supported(dd, operations))
      .filter(({ length }) => length >= 4)
      .slice(0, CASES);
  }

  test("system calls, programs and the model agree after every operation and on disk", async () => {
    const kept = new KeptFiles(image);
    for (const operations of cases()) {
      const synced: Operation[] = [...operations, { op: "fsync" }];
      const byPrograms: Observation[] = [];
      // What the programs amounted to: fallocate(1) also syncs the file.
      const performed: Operation[][] = [];
      const onObservation = (seen: Observation): void => {
        byPrograms.push(seen);
        performed.push([...(dd.performed ?? [])]);
      };
      const programs = runCase(model, dd, synced, { ...lockstep, onObservation });
      expect(programs.divergence).toBeUndefined();
      kept.add(model, dd, synced);

      const flat = performed.flat();
      const byCalls: Observation[] = [];
      const calls = runCase(model, ffi, flat, {
        ...lockstep,
        onObservation: (seen) => byCalls.push(seen),
      });
      expect(calls.divergence).toBeUndefined();
      let at = 0;
      for (const [step, some] of performed.entries()) {
        const { result, read } = byCalls[at] as Observation;
        at += some.length;
        const last = byCalls[at - 1] as Observation;
        // Where every step is one call the bytes it writes are the same too.
        const bytes = flat.length === synced.length ? read : byPrograms[step]?.read;
        expect(comparable(byPrograms[step] as Observation)).toEqual(
          comparable({ ...last, result, read: bytes }),
        );
      }
      ffi.end();
    }
    ffi.release();
    const { findings } = await kept.check(true);
    expect(findings).toEqual([]);
  });

  test("a program is not asked for what it cannot do", () => {
    const impossible: Operation[] = [
      { op: "pwrite", pos: 0, len: 2, readable: 1 },
      { op: "mmap_write", pos: 0, len: 1 },
      { op: "sync_file_range", pos: 0, len: 1 },
      { op: "drop_cache" },
    ];
    expect(supported(dd, [...impossible, { op: "fsync" }])).toEqual([{ op: "fsync" }]);
    expect(supported(ffi, impossible)).toEqual(impossible);
  });
});
