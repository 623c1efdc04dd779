/**
 * Confirmation: a case by itself on a fresh image, looked at after every operation and on disk. What it shows cannot
 * come from the cases before it.
 */
import type * as fc from "fast-check";
import { modelWith, shownDeviations, unmountDeviations } from "./deviations.ts";
import type { Divergence } from "./divergence.ts";
import { modelConfig } from "./kernel-traits.ts";
import type { KernelTraits } from "./kernel-traits.ts";
import { openImage } from "./kernel/image.ts";
import { KernelSubject } from "./kernel/kernel-subject.ts";
import { KeptFiles, onDiskDivergence } from "./kept-files.ts";
import { runCase } from "./lockstep.ts";
import type { Operation } from "./operation.ts";
import type { Variant } from "./variant.ts";

/** Runs cases by themselves on one fresh image, each with a checkpoint of its own. */
export class Confirmation {
  readonly #variant: Variant;
  readonly #traits: KernelTraits;
  readonly #strict: boolean;

  constructor(variant: Variant, traits: KernelTraits, strict: boolean) {
    this.#variant = variant;
    this.#traits = traits;
    this.#strict = strict;
  }

  /** The divergence that the case shows; undefined where it shows none. About 0.2 s. */
  async run(operations: readonly Operation[]): Promise<Divergence | undefined> {
    const variant = this.#variant;
    const image = await openImage(variant);
    try {
      const subject = new KernelSubject(image);
      const options = { variant: variant.name, blockSize: variant.blockSize };
      const config = modelConfig(variant, this.#traits, image.fresh.freeBlocks);
      const deviations = this.#strict
        ? []
        : [
            ...shownDeviations(config, subject, options),
            ...unmountDeviations(this.#traits.atUnmount),
          ];
      const model = modelWith(config, deviations);
      const { divergence } = runCase(model, subject, operations, options);
      if (divergence !== undefined) {
        subject.release();
        return divergence;
      }
      const synced: Operation[] = [...operations, { op: "fsync" }];
      const again = runCase(model, subject, synced, options);
      if (again.divergence !== undefined) {
        subject.release();
        return again.divergence;
      }
      const kept = new KeptFiles(image);
      kept.add(model, subject, synced);
      subject.release();
      const {
        findings: [first],
      } = await kept.check();
      return first && onDiskDivergence(variant.name, synced, first.finding);
    } finally {
      image.close();
    }
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
