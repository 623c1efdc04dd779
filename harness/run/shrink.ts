/**
 * Shrinking where every attempt is expensive: a fresh image, or a boot.
 */
import type * as fc from "fast-check";
import type { Divergence } from "../finding/divergence.ts";
import type { Operation } from "../operations/operation.ts";
import { isWorse } from "../finding/severity.ts";

/**
 * The divergence of the simplest case that `arbitrary` shrinks `operations` to and that still shows
 * one of the same kind, or a worse one. Gives up after `limitMs` milliseconds and returns the best
 * so far.
 */
export async function shrinkCase(
  operations: Operation[],
  found: Divergence,
  arbitrary: fc.Arbitrary<Operation[]>,
  attempt: (operations: Operation[]) => Promise<Divergence | undefined>,
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
      const divergence = await attempt(candidate.value);
      if (divergence === undefined) continue;
      if (divergence.kind !== best.kind && !isWorse(divergence, best)) continue;
      best = divergence;
      value = candidate.value;
      context = candidate.context;
      progress = true;
      break;
    }
  }
  return best;
}
