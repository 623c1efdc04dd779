/**
 * Which error a program met, from what it says: strerror(3) in the C locale.
 */
import { EnvironmentError } from "../case/failure.ts";
import type { ProcessResult } from "./process.ts";

/** The errors that ext4's write path returns (errno-base.h, asm-generic/errno.h). */
const ERRNO: readonly (readonly [message: string, errno: number])[] = [
  ["Input/output error", 5],
  ["Text file busy", 26],
  ["Invalid argument", 22],
  ["File too large", 27],
  ["No space left on device", 28],
  ["Operation not supported", 95],
  ["Structure needs cleaning", 117],
];

/** 0, or -errno. Throws EnvironmentError where the program failed for another reason. */
export function errnoOf(program: string, { exitCode, stderr }: ProcessResult): number {
  if (exitCode === 0) return 0;
  const known = ERRNO.find(([message]) => stderr.includes(message));
  if (known !== undefined) return -known[1];
  throw new EnvironmentError(
    "process-failed",
    `${program} failed: ${stderr.trim()}`,
    `Run ${program} by hand, or leave the cross-check with processes out.`,
  );
}
