/**
 * Confirmation: a case by itself on a fresh image, looked at after every operation and on disk. What it shows cannot
 * come from the cases before it.
 */
import type * as fc from "fast-check";
import type { ModelConfig } from "../../model/tables.ts";
import { modelWith, nameDeviations } from "../lockstep/deviations.ts";
import type { Divergence } from "../divergence.ts";
import { expectedDeviations, openExecutor, releaseAnyway, supported } from "./executor.ts";
import type { Executor, ExecutorName } from "./executor.ts";
import { modelConfig } from "../kernel-traits.ts";
import type { KernelTraits } from "../kernel-traits.ts";
import { openImage } from "../kernel/image.ts";
import type { MountedImage } from "../kernel/image.ts";
import { KeptFiles, onDiskDivergence } from "./kept-files.ts";
import { runCase, withContract } from "../lockstep/lockstep.ts";
import type { LockstepOptions } from "../lockstep/lockstep.ts";
import type { Operation } from "../operation.ts";
import type { Variant } from "../variant.ts";

/** A fresh image with what it takes to run cases on it. */
interface Setup {
  image: MountedImage;
  subject: Executor;
  config: ModelConfig;
  options: LockstepOptions;
}

/** Runs cases by themselves, each on a fresh image. */
export class Confirmation {
  readonly #variant: Variant;
  readonly #traits: KernelTraits;
  readonly #strict: boolean;
  readonly #executor: ExecutorName;
  /** Called after each operation. */
  readonly #onAlive: () => void;

  constructor(
    variant: Variant,
    traits: KernelTraits,
    strict: boolean,
    executor: ExecutorName = "ffi",
    onAlive: () => void = () => {},
  ) {
    this.#executor = executor;
    this.#onAlive = onAlive;
    this.#variant = variant;
    this.#traits = traits;
    this.#strict = strict;
  }

  /** The divergence that the case shows; undefined where it shows none. About 0.2 s. */
  run(operations: readonly Operation[]): Promise<Divergence | undefined> {
    return this.#onFreshImage((setup) => this.#runOn(setup, supported(setup.subject, operations)));
  }

  /**
   * Ids of the known deviations, maybe none, with which the model follows the kernel through the case; undefined where
   * it never does.
   */
  named(operations: readonly Operation[]): Promise<string[] | undefined> {
    return this.#onFreshImage(({ config, subject, options }) => {
      const named = nameDeviations(config, subject, operations, options);
      return Promise.resolve(named?.map(({ id }) => id));
    });
  }

  async #onFreshImage<T>(use: (setup: Setup) => Promise<T>): Promise<T> {
    const variant = this.#variant;
    const image = await openImage(variant);
    try {
      const subject = openExecutor(this.#executor, image);
      const { name, blockSize } = variant;
      const options = { variant: name, blockSize, onObservation: this.#onAlive };
      const config = modelConfig(variant, this.#traits, image.fresh.freeBlocks);
      const result = await use({ image, subject, config, options });
      releaseAnyway(subject);
      return result;
    } finally {
      image.close();
    }
  }

  async #runOn(setup: Setup, operations: readonly Operation[]): Promise<Divergence | undefined> {
    const { image, subject, config, options } = setup;
    const deviations = this.#strict
      ? []
      : expectedDeviations(subject, config, options, this.#traits);
    const model = modelWith(config, deviations);
    const promised = withContract(options, config, deviations);
    const { divergence } = runCase(model, subject, operations, promised);
    if (divergence !== undefined) return divergence;
    const synced: Operation[] = [...operations, { op: "fsync" }];
    const again = runCase(model, subject, synced, promised);
    if (again.divergence !== undefined) return again.divergence;
    const kept = new KeptFiles(image);
    kept.add(model, subject, synced);
    subject.release();
    const [first] = (await kept.check()).findings;
    return first && onDiskDivergence(this.#variant.name, synced, first.finding);
  }

  /**
   * The simplest case that `arbitrary` shrinks `operations` to and that still shows a divergence of the same kind.
   * Gives up after `limitMs` milliseconds and returns the best so far.
   */
  async shrink(
    operations: Operation[],
    found: Divergence,
    arbitrary: fc.Arbitrary<Operation[]>,
    limitMs: number,
  ): Promise<Divergence> {
    const end = Date.now() + limitMs;
    let best = found;
    let value = operations;
    let context: unknown;
    for (let progress = true; progress;) {
      progress = false;
      for (const candidate of arbitrary.shrink(value, context)) {
        if (Date.now() > end) return best;
        const divergence = await this.run(candidate.value);
        if (divergence?.kind !== found.kind) continue;
        best = divergence;
        value = candidate.value;
        context = candidate.context;
        progress = true;
        break;
      }
    }
    return best;
  }
}
