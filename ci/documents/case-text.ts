/**
 * Stored cases as people write them.
 */
import { formatCounterexample } from "../../harness/stored/counterexample.ts";
import type { Counterexample } from "../../harness/stored/counterexample.ts";

/** A variant in a stored case, all of it. */
const WHOLE_VARIANT = /"variant": \{.*?\n {2}\}/s;

/** The text of a stored case, with the variant by its name. */
export function caseText(counterexample: Counterexample): string {
  const { name } = counterexample.variant;
  return formatCounterexample(counterexample).replace(WHOLE_VARIANT, `"variant": "${name}"`);
}
