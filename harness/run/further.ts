/**
 * What may follow from a case whose first symptom is small: a page that is counted dirty is nothing to whoever has data there, unless
 * that page is one that will not be written.
 */
import { MAX_IO_BYTES } from "../operation.ts";
import type { Operation } from "../operation.ts";

/** Looks at a file's data, to be appended to a case: at its end as it is, from the disk, and after a power cut, also of what was synced. */
export const FURTHER_LOOKS: readonly (readonly Operation[])[] = [
  [],
  [{ op: "drop_cache" }, { op: "pread", pos: 0, len: MAX_IO_BYTES }],
  [{ op: "power_cut" }],
  [{ op: "fsync" }, { op: "power_cut" }],
];
