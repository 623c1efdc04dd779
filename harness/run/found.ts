/**
 * What was found in a run: of each variant each finding once, with how often it was met.
 */
import { identityOf } from "../finding/identity.ts";
import type { FoundDivergence } from "../stored/result.ts";

const isOne = (one: FoundDivergence, variant: string, identity: string): boolean =>
  one.variant === variant && identityOf(one.divergence) === identity;

/** Count a finding that was met once more. */
export function countMet(all: readonly FoundDivergence[], variant: string, identity: string): void {
  const known = all.find((one) => isOne(one, variant, identity));
  if (known !== undefined) known.met += 1;
}

/**
 * Add a finding, or count it where it is one of them. It is returned as it is there where it is
 * news: what a fresh image has shown is, also where it was met before without that.
 */
export function addFound(
  all: FoundDivergence[],
  found: FoundDivergence,
): FoundDivergence | undefined {
  const { variant, divergence, confirmed, met } = found;
  const identity = identityOf(divergence);
  const known = all.find((one) => isOne(one, variant, identity));
  if (known === undefined) {
    all.push(found);
    return found;
  }
  const times = known.met + met;
  if (!confirmed || known.confirmed) {
    known.met = times;
    return undefined;
  }
  return Object.assign(known, found, { met: times });
}

/** Each finding of several runs once. */
export function foundTogether(found: readonly FoundDivergence[]): FoundDivergence[] {
  const all: FoundDivergence[] = [];
  for (const one of found) addFound(all, { ...one });
  return all;
}

/**
 * A finding with the file by which it is accepted, where there is one.
 *
 * @param accepted files, by what identifies their findings
 */
export function withAcceptance<T extends Pick<FoundDivergence, "divergence">>(
  finding: T,
  accepted: ReadonlyMap<string, string>,
): T & Pick<FoundDivergence, "accepted"> {
  const file = accepted.get(identityOf(finding.divergence));
  return { ...finding, ...(file !== undefined && { accepted: file }) };
}
