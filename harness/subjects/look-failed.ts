/**
 * What a call that only looks at a file of an image under test, makes or removes it, may fail of.
 */
import { EnvironmentError } from "../case/failure.ts";
import { describeResult } from "../text/errno.ts";
import { LookFailed } from "../lockstep/subject.ts";
import { EBADMSG, EIO, EROFS, EUCLEAN } from "../system/syscalls.ts";
import type { Result } from "../system/syscalls.ts";

/**
 * What ext4 says of a file system that is damaged or that it has given up: EUCLEAN is its
 * EFSCORRUPTED, EBADMSG its EFSBADCRC (include/linux/errno.h), EIO comes where it cannot read, and
 * EROFS once the journal has been aborted.
 */
const DAMAGED: ReadonlySet<number> = new Set([EUCLEAN, EBADMSG, EIO, EROFS]);

/** What `call` failed of, to be thrown; `result` is -errno. */
export function failedLook(call: string, result: Result): EnvironmentError {
  const failed = `${call} failed with ${describeResult(result)}`;
  if (DAMAGED.has(-result)) return new LookFailed(failed);
  return new EnvironmentError(
    "process-failed",
    failed,
    "No other process may touch the tool's files; look at the kernel log (dmesg) for an error of the file system.",
  );
}

/**
 * The result of such a call where it is not an error. Throws LookFailed where its file system is
 * damaged, else EnvironmentError.
 */
export function mustLook(result: Result, call: string): number {
  if (result < 0) throw failedLook(call, result);
  return result;
}
