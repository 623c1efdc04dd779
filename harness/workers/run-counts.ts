import type { HandoverReason } from "../lockstep/handover.ts";

/** What a run of a variant came to, as plain data. */
export interface RunCounts {
  cases: number;
  /** Operations that were applied to both and compared. */
  operations: number;
  /** Files that were checked on disk. */
  files: number;
  checkpoints: number;
  /** Blocks whose state depended on placement and was taken from the kernel. */
  guesses: number;
  /** Times that the page cache was another one, and was not when the case was begun anew. */
  transient: number;
  /** Cases in which a known deviation had a part, by its id. */
  deviations: Record<string, number>;
  /** Cases of which the contract alone judged the end, by the reason. */
  handedOver: Partial<Record<HandoverReason, number>>;
}

/** Of a variant that has not begun. */
export const NOTHING_RUN: RunCounts = {
  cases: 0,
  operations: 0,
  files: 0,
  checkpoints: 0,
  guesses: 0,
  transient: 0,
  deviations: {},
  handedOver: {},
};
