/**
 * What came of an operation, on the model or by system calls.
 */
import type { CutLook, PausedLook } from "../case/observation.ts";

export interface Performed {
  /** Bytes, 0, or -errno. */
  result: number;
  read?: Uint8Array | undefined;
  during?: PausedLook[] | undefined;
  cut?: CutLook;
}
