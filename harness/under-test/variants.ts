/**
 * Choosing variants by name.
 */
import { BUFFERED_IOMAP, findVariant, onIomap, variants } from "../../images/variants.ts";
import { UsageError } from "../case/failure.ts";
import { isRemounted } from "../case/variant.ts";
import type { Variant } from "../case/variant.ts";
import { namesIn, noSuch } from "../text/no-such.ts";

/**
 * The variant with this name, or on the iomap path with this name and "-iomap". Throws UsageError
 * where there is none, and says which there are.
 */
export function variantNamed(name: string): Variant {
  const variant = findVariant(name);
  if (variant !== undefined) return variant;
  const names = variants.map((candidate) => candidate.name);
  const onPath = name.endsWith("-iomap") ? names.map((one) => `${one}-iomap`) : names;
  throw new UsageError(noSuch("variant", name, onPath));
}

/** "all", "default", or names with commas between them. Throws UsageError. */
export function chooseVariants(selection: string): Variant[] {
  if (selection === "all") return [...variants];
  if (selection === "default") return variants.filter(({ byDefault }) => byDefault);
  return namesIn(selection).map(variantNamed);
}

/**
 * The variants, each followed by itself on the patch's path where the kernel offers that; each once,
 * though it was chosen by that name too.
 */
export function withIomap(chosen: readonly Variant[], offered: boolean): Variant[] {
  if (!offered) return [...chosen];
  const all = chosen.flatMap((variant) => {
    const goes = !variant.mountOptions.includes(BUFFERED_IOMAP) && !isRemounted(variant);
    return goes ? [variant, onIomap(variant)] : [variant];
  });
  return [...new Map(all.map((variant) => [variant.name, variant])).values()];
}
