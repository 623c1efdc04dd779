/**
 * Three kinds of failure, never mixed: a Divergence is the finding and is a value (see divergence.ts); the two
 * below are exceptions, because nothing in between can do anything about them.
 */

/** What kept the tool from running here, so that messages and tests can tell causes apart. */
export type EnvironmentCause =
  | "not-root"
  | "no-loop-device"
  | "missing-program"
  | "no-space"
  | "mkfs-failed"
  | "mount-refused"
  /** Ext4 itself did not take a file system that mkfs.ext4 made, for no reason that a kernel may have. */
  | "ext4-refused"
  | "no-ioctl"
  | "unsupported-platform"
  | "process-failed"
  | "guest-did-not-start"
  | "no-coverage";

/** The machine cannot do what was asked: a SKIP with one line, exit status 4, never a PASS. */
export class EnvironmentError extends Error {
  override readonly name = "EnvironmentError";
  readonly reason: EnvironmentCause;
  /** What to do about it, one imperative sentence. */
  readonly remedy: string;
  constructor(reason: EnvironmentCause, message: string, remedy: string) {
    super(message);
    this.reason = reason;
    this.remedy = remedy;
  }
}

/** What the user asked for makes no sense: exit status 64. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
