/**
 * What was found in a run: of each variant each finding once, with how often it was met.
 */
import { identityOf } from "../finding/identity.ts";
import type { FoundDivergence } from "../stored/result.ts";

/** Count a finding that was met once more, or `times`; whether it is one of them. */
export function countMet(
  all: readonly FoundDivergence[],
  variant: string,
  identity: string,
  times = 1,
): boolean {
  const known = all.find(
    (one) => one.variant === variant && identityOf(one.divergence) === identity,
  );
  if (known !== undefined) known.met += times;
  return known !== undefined;
}

/** Each finding of several runs once. */
export function foundTogether(found: readonly FoundDivergence[]): FoundDivergence[] {
  const all: FoundDivergence[] = [];
  for (const one of found) {
    const { variant, divergence, met } = one;
    if (!countMet(all, variant, identityOf(divergence), met)) all.push({ ...one });
  }
  return all;
}
