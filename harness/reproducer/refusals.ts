/**
 * What no form of a case has words for, said in a line.
 */
import { isRemounted } from "../case/variant.ts";
import { UsageError } from "../case/failure.ts";
import { describeOperation, effectsOf } from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";
import type { Counterexample } from "../stored/counterexample.ts";

/** Throws UsageError: `what` has no words in `form`. */
export type Refuse = (what: string, why: string) => never;

/** The refusals of a form, as "a script". */
export const refusing =
  (form: string): Refuse =>
  (what, why) => {
    throw new UsageError(`${what} cannot be written as ${form}: ${why}`);
  };

/**
 * Refuses a case of which `operations`, each by itself, cannot be written, or which takes what other
 * cases left.
 */
export function mustBeExpressible(
  { before, variant }: Counterexample,
  operations: readonly Operation[],
  cannot: (operation: Operation) => string | undefined,
  refuse: Refuse,
): void {
  for (const operation of operations) {
    const why = cannot(operation);
    if (why !== undefined) refuse(describeOperation(operation), why);
    if (isRemounted(variant) && effectsOf(operation).replacesFile === true) {
      refuse(describeOperation(operation), "the new file would not be older than the mount");
    }
  }
  if (before === undefined) return;
  refuse(`a case with ${before.length} before it`, "what they left would have to be there");
}
