/**
 * Detection: how long generation takes to find a bug that was put into the model, and what is left
 * of the case when it is shrunk. The model with the bug stands in for the kernel, the ideal one is
 * held against it as in a live run: after every operation, and at a checkpoint after the last.
 */
import * as fc from "fast-check";
import { modelWith, witnessOf } from "../harness/lockstep/deviations.ts";
import { runCase } from "../harness/lockstep/lockstep.ts";
import type { ModelSubject } from "../harness/lockstep/model-subject.ts";
import { effectsOf } from "../harness/operations/operation.ts";
import type { Operation } from "../harness/operations/operation.ts";
import { ModelBroken } from "../model/include/assert.ts";
import type { Deviation } from "../model/deviations/index.ts";
import { operations } from "../harness/generation/operations.ts";
import { withoutPages } from "./page-cache.ts";
import { settingFor } from "./settings.ts";

/**
 * What a checkpoint reads from the image: extents, size, and the bytes of the file after a fresh
 * mount.
 */
function onDisk({ inode }: ModelSubject): unknown {
  return [[...inode.i_extents], inode.i_disksize, [...inode.contents]];
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** What tells whether a case tells the ideal model from the one with `deviation`. */
function differBy(deviation: Deviation): (list: readonly Operation[]) => boolean {
  const { config, variant } = settingFor(deviation.witness);
  const options = { variant: variant.name, blockSize: variant.blockSize };
  return (list) => {
    // Fresh ones: a bug may leave the file system itself with wrong counts.
    const [ideal, buggy] = [modelWith(config, []), modelWith(config, [deviation])];
    try {
      if (runCase(ideal, withoutPages(buggy), list, options).divergence !== undefined) return true;
      for (const model of [ideal, buggy]) model.apply({ op: "fsync" }, list.length);
      return !same(onDisk(ideal), onDisk(buggy));
    } catch (error) {
      // The kernel would have hit one of its own assertions.
      if (error instanceof ModelBroken) return true;
      throw error;
    }
  };
}

/** Seeds of the runs in which every seeded bug must be found. */
export const SEEDS: readonly number[] = [1, 2, 3, 4, 5];

/**
 * Of a thousand cases, those with a power cut where that is what shows it: as `run --power-cuts`
 * does.
 */
const MANY_CUTS = 500;

/** What looking for a bug came to. */
export interface Detection {
  /** Cases until one told, counted from 1; undefined where none did. */
  cases: number | undefined;
  shrunk: Operation[];
}

/** Look for `deviation` in up to `limit` generated cases, and shrink what shows it. */
export function detect(deviation: Deviation, seed: number, limit: number): Detection {
  const { variant } = settingFor(deviation.witness);
  const differ = differBy(deviation);
  const atCut = deviation.visible === "power cut";
  const everything = witnessOf(deviation).some((one) => effectsOf(one).recordable?.(one) === false);
  const generated = operations({
    variant,
    maxLength: 200,
    everything,
    cutPerMille: atCut ? MANY_CUTS : 0,
  });
  const found = fc.check(
    fc.property(generated, (list) => !differ(list)),
    { seed, numRuns: limit },
  );
  const shrunk = found.counterexample?.[0] ?? [];
  return { cases: found.failed ? found.numRuns : undefined, shrunk };
}

/** Whether the witness shows the deviation, and no operation of it is to spare. */
export function isMinimal(deviation: Deviation): boolean {
  const witness = witnessOf(deviation);
  const differ = differBy(deviation);
  return differ(witness) && witness.every((_, i) => !differ(witness.toSpliced(i, 1)));
}
