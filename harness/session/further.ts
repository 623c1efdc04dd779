/**
 * What may follow from a case whose first symptom is small: a page that is counted dirty is nothing
 * to whoever has data there, unless that page is one that will not be written.
 */
import type { Divergence } from "../finding/divergence.ts";
import { isMinor, isWorse } from "../finding/severity.ts";
import { MAX_IO_BYTES } from "../case/limits.ts";
import { behind } from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";
import { EnvironmentError } from "../case/failure.ts";
import type { Session } from "./session.ts";

/**
 * Looks at a file's data, to be appended to a case: at its end as it is, from the disk, and after a
 * power cut, also of what was synced.
 */
export const FURTHER_LOOKS: readonly (readonly Operation[])[] = [
  [],
  [{ op: "drop_cache" }, { op: "pread", pos: 0, len: MAX_IO_BYTES }],
  [{ op: "power_cut" }],
  [{ op: "fsync" }, { op: "power_cut" }],
];

/** Something worse than what was found first, and the look at the end of the case that shows it. */
export interface Further {
  look: readonly Operation[];
  divergence: Divergence;
}

/**
 * What `attempt` shows; undefined too where the case, which has shown something before, has broken
 * the file system.
 */
export function unlessBroken(attempt: () => Divergence | undefined): Divergence | undefined {
  try {
    return attempt();
  } catch (error) {
    if (error instanceof EnvironmentError) return undefined;
    throw error;
  }
}

/**
 * Data that is lost or shown further on in the case `operations` of which `found` is the first
 * symptom; undefined where that is no small one, or nothing follows. `attempt` performs the case
 * with a look behind it, and nothing counts but its data: the contract alone cannot judge so.
 */
export function worseFurtherOn(
  { model, executor }: Pick<Session, "model" | "executor">,
  operations: readonly Operation[],
  found: Divergence,
  attempt: (operations: Operation[]) => Divergence | undefined,
): Further | undefined {
  if (model === undefined || !isMinor(found)) return undefined;
  for (const look of FURTHER_LOOKS) {
    if (!look.every((operation) => executor.supports(operation))) continue;
    const divergence = unlessBroken(() => attempt(behind(operations, look)));
    if (divergence !== undefined && isWorse(divergence, found)) {
      return { look, divergence };
    }
  }
  return undefined;
}
