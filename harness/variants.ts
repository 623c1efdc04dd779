/**
 * Choosing variants by name.
 */
import { variants } from "../images/variants.ts";
import { UsageError } from "./failure.ts";
import type { Variant } from "./variant.ts";

/** The variant with this name. Throws UsageError where there is none, and says which there are. */
export function variantNamed(name: string): Variant {
  const variant = variants.find((candidate) => candidate.name === name);
  if (variant !== undefined) return variant;
  const names = variants.map((candidate) => candidate.name).join(", ");
  throw new UsageError(`there is no variant "${name}"; there are: ${names}`);
}

/** "all", "default", or names with commas between them. Throws UsageError. */
export function chooseVariants(selection: string): Variant[] {
  if (selection === "all") return [...variants];
  if (selection === "default") return variants.filter(({ byDefault }) => byDefault);
  return [...new Set(selection.split(","))].map((name) => variantNamed(name.trim()));
}
