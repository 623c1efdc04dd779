/**
 * What happens while cases run, told as it does.
 */
import type { Observation } from "../case/observation.ts";
import type { Operation } from "../operations/operation.ts";

export type CaseEvent =
  /** The kernel has come back from an operation. */
  | { type: "performed" }
  /** About to run the case of this number; `kept`: its file stays for the next checkpoint. */
  | { type: "case"; case: number; kept: boolean }
  /**
   * About to run operations that do not follow from the number of a case: shrinking, confirming,
   * the corpus.
   */
  | { type: "trying"; operations: readonly Operation[] }
  /**
   * About to go on with a walk over the states of a small file, or to begin one with a new file.
   */
  | { type: "walking"; fresh: boolean; operations: readonly Operation[] }
  /** The file of the walk, which did this in all, stays for the next checkpoint. */
  | { type: "kept"; operations: readonly Operation[] }
  /** A case with a number conforms; what was seen last. */
  | { type: "conforms"; case: number; seen: Observation }
  /** A case has failed, and is looked into; shrinking begins. */
  | { type: "diverged" }
  /** What comes next is performed on a fresh image. */
  | { type: "renewed" }
  /** About to unmount and look at the disk; `done` when that is over. */
  | { type: "checkpoint"; done: boolean };

/** Hears of what happens. */
export type Listener = (event: CaseEvent) => void;
