/**
 * Long cases on files of many extents, where most looks are at a few blocks: they must find what
 * whole looks find.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ModelConfig, Override } from "../../model/tables.ts";
import { modelWith } from "../lockstep/deviations.ts";
import { deviationsOfExecutor } from "../session/expected-deviations.ts";
import type { Deviation } from "../../model/deviations/index.ts";
import { modelConfig } from "../under-test/kernel-traits.ts";
import { runCase } from "../lockstep/lockstep.ts";
import { ModelSubject } from "../lockstep/model-subject.ts";
import type { Observation } from "../case/observation.ts";
import type { FallocateMode } from "../operations/fallocate/operation.ts";
import type { Operation } from "../operations/operation.ts";
import { variantNamed } from "../under-test/variants.ts";
import { openImage } from "./image.ts";
import type { MountedImage } from "./image.ts";
import { KernelSubject } from "./kernel-subject.ts";
import { machineLacks } from "../system/machine.ts";
import { probeKernel } from "./probe.ts";

const lacks = machineLacks();
if (lacks !== undefined) console.warn(`SKIP: ${lacks.message}`);

const BLOCKS = 4096;
const OPERATIONS = 1500;
/** Behind everything that is written. */
const FAR_BLOCK = 2 ** 20;

/** Numbers below `n`, the same in every run (xorshift32, Marsaglia 2003). */
function numbers(seed: number): (n: number) => number {
  let x = seed;
  return (n) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % n;
  };
}

/** Operations all over a file of 4,096 blocks, every kind of them. */
function scattered(blockSize: number): Operation[] {
  const below = numbers(20_261_123);
  const modes: FallocateMode[] = ["punch_hole", "zero_range", "keep_size", "allocate"];
  const pos = (): number => below(BLOCKS) * blockSize + (below(4) > 0 ? 0 : below(blockSize));
  const len = (): number => (below(3) > 0 ? (1 + below(3)) * blockSize : 1 + below(6 * blockSize));
  const write = (): Operation => {
    const l = len();
    return { op: "pwrite", pos: pos(), len: l, readable: below(5) > 0 ? l : below(l + 1) };
  };
  const kinds: [number, () => Operation][] = [
    [54, write],
    [64, () => ({ op: "fsync" })],
    [70, () => ({ op: "mmap_write", pos: pos(), len: len() })],
    [74, () => ({ op: "pread", pos: pos(), len: len() })],
    [90, () => ({ op: "fallocate", mode: modes[below(4)]!, pos: pos(), len: len() })],
    [94, () => ({ op: "sync_file_range", pos: pos(), len: len() })],
    [96, () => ({ op: "ftruncate", size: (3000 + below(1000)) * blockSize + below(blockSize) })],
    [97, () => ({ op: "drop_cache" })],
    [98, () => shift("collapse_range")],
    [100, () => shift("insert_range")],
  ];
  const shift = (mode: FallocateMode): Operation => {
    return { op: "fallocate", mode, pos: below(BLOCKS) * blockSize, len: blockSize };
  };
  return Array.from({ length: OPERATIONS }, () => {
    const drawn = below(100);
    return kinds.find(([upTo]) => drawn < upTo)![1]();
  });
}

/**
 * A model that once, far from what it writes, has a block in another place. No number tells of it.
 */
function misplaces(blockSize: number): Override {
  return (base) => ({
    perform_write(inode, pos, len, readable, source) {
      const { i_extents } = inode;
      const result = base.perform_write(inode, pos, len, readable, source);
      const first = i_extents.at(0);
      const far = first !== undefined && first.start + 1000 < pos / blockSize;
      if (far && i_extents.size > 150 && i_extents.get(FAR_BLOCK) === undefined) {
        i_extents.delete(first.start, first.start + 1);
        i_extents.set(FAR_BLOCK, FAR_BLOCK + 1, first.value);
      }
      return result;
    },
  });
}

describe
  .skipIf(lacks !== undefined)
  .each(["4k-delalloc", "1k-delalloc", "4k-nodelalloc", "1k-nodelalloc", "4k-dioread-lock"])(
  "%s",
  (name) => {
    const variant = variantNamed(name);
    const operations = scattered(variant.blockSize);
    const lockstep = { variant: name, blockSize: variant.blockSize };
    let image: MountedImage;
    let subject: KernelSubject;
    let config: ModelConfig;
    let deviations: Deviation[];

    beforeAll(async () => {
      const traits = await probeKernel();
      image = await openImage(variant);
      subject = new KernelSubject(image);
      config = modelConfig(variant, traits, image.fresh.freeBlocks);
      const performing = { executor: subject, config, options: lockstep };
      deviations = deviationsOfExecutor(performing, { atUnmount: [], cachestat: true });
      subject.wholeLooks = false;
    });

    afterAll(() => {
      subject.release();
      image.close();
    });

    test("conforms, most looks at windows", () => {
      let windowed = 0;
      const onObservation = ({ windows }: Observation): void => {
        if (windows !== undefined) windowed += 1;
      };
      const model = modelWith(config, deviations);
      const result = runCase(model, subject, operations, { ...lockstep, onObservation });
      expect(result.divergence).toBeUndefined();
      expect(windowed).toBeGreaterThan(OPERATIONS / 2);
    });

    test("what changes outside of the windows is found in the same case", () => {
      const overrides = [
        ...deviations.map(({ override }) => override),
        misplaces(variant.blockSize),
      ];
      const model = new ModelSubject(config, overrides);
      const { divergence } = runCase(model, subject, operations, lockstep);
      expect(divergence?.kind).toBe("map");
    });
  },
);
