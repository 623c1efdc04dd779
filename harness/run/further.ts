/**
 * What may follow from a case whose first symptom is small: a page that is counted dirty is nothing
 * to whoever has data there, unless that page is one that will not be written.
 */
import type { Divergence } from "../finding/divergence.ts";
import { isMinor, isWorse } from "../finding/severity.ts";
import { MAX_IO_BYTES } from "../case/limits.ts";
import type { Operation } from "../operations/operation.ts";

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

/**
 * Data that is lost or shown further on in a case of which `found` is the first symptom; undefined
 * where that is no small one, or nothing follows. `attempt` performs the case with a look behind
 * it, and nothing counts but its data.
 */
export function worseFurtherOn(
  found: Divergence,
  supports: (operation: Operation) => boolean,
  attempt: (look: readonly Operation[]) => Divergence | undefined,
): Divergence | undefined {
  if (!isMinor(found.kind)) return undefined;
  for (const look of FURTHER_LOOKS) {
    if (!look.every(supports)) continue;
    const shown = attempt(look);
    if (shown !== undefined && isWorse(shown.kind, found.kind)) return shown;
  }
  return undefined;
}
