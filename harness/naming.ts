/**
 * Giving a divergence its name: which known deviations explain a case, tried on a fresh image.
 */
import { nameDeviations } from "./deviations.ts";
import { modelConfig } from "./kernel-traits.ts";
import type { KernelTraits } from "./kernel-traits.ts";
import { openImage } from "./kernel/image.ts";
import { KernelSubject } from "./kernel/kernel-subject.ts";
import type { Operation } from "./operation.ts";
import type { Variant } from "./variant.ts";

/** Ids of the known deviations with which the model follows the kernel through the case; undefined where none do. */
export async function nameDeviationsOnKernel(
  variant: Variant,
  traits: KernelTraits,
  operations: readonly Operation[],
): Promise<string[] | undefined> {
  const image = await openImage(variant);
  try {
    const subject = new KernelSubject(image);
    const config = modelConfig(variant, traits, image.fresh.freeBlocks);
    const options = { variant: variant.name, blockSize: variant.blockSize };
    const named = nameDeviations(config, subject, operations, options);
    subject.release();
    return named?.map(({ id }) => id);
  } finally {
    image.close();
  }
}
