/**
 * Deviation: a named difference between what the write path promises and what some real or seeded kernel does. It
 * replaces entries of the model's table; nothing else in the model knows that it exists.
 */
import type { Override } from "../tables.ts";

export interface Deviation {
  /** Short and unique, as it appears in reports and on the command line. */
  readonly id: string;
  /** What goes wrong, one sentence. */
  readonly claim: string;
  /** Why, in terms of the kernel's code. */
  readonly reason: string;
  /** Kernels, or "seeded". */
  readonly seenIn: readonly string[];
  /** Where it shows: after an operation, or only in the kernel log when the file system is unmounted. */
  readonly visible: "step" | "unmount";
  /** The shortest sequence that shows it, with the variant it needs. */
  readonly witness: { readonly variant: string; readonly operations: readonly object[] };
  readonly override: Override;
}
