/**
 * Handover: from some operation of a case on the model cannot say any more what the kernel must do,
 * and the contract judges alone.
 */
import * as z from "zod";

/** Why. */
export const handoverReasonSchema = z.enum(["space", "time"]);
export type HandoverReason = z.infer<typeof handoverReasonSchema>;

export interface Handover {
  /** Index of the first operation that only the contract judges. */
  step: number;
  reason: HandoverReason;
}

/** The reasons, as an end of a sentence. */
export const handoverReasons: Record<HandoverReason, string> = {
  space: "space ran short, and the kernel's counters and allocator decide what becomes of that",
  time: "the case took so long that the kernel may have begun writeback by itself",
};

/** What is said of a case that was handed over. */
export function describeHandover({ step, reason }: Handover): string {
  return `judged by the contract alone from operation ${step} on: ${handoverReasons[reason]}`;
}
