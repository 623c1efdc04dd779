/**
 * Three kinds of failure, never mixed: a Divergence is the finding and is a value (see
 * divergence.ts); the two below are exceptions, because nothing in between can do anything about
 * them.
 */

/** What kept the tool from running here, so that messages and tests can tell causes apart. */
export type EnvironmentCause =
  | "not-root"
  | "no-loop-device"
  | "missing-program"
  | "no-space"
  | "mkfs-failed"
  | "mount-refused"
  /**
   * Ext4 itself did not take a file system that mkfs.ext4 made, for no reason that a kernel may
   * have.
   */
  | "ext4-refused"
  | "no-ioctl"
  | "unsupported-platform"
  | "process-failed"
  | "machine-lacks"
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

/**
 * What the machine has run out of, or does not let a program do, by the code of a system call that
 * failed.
 */
const LACKING: Readonly<Record<string, string>> = {
  ENOSPC: "Free some space, or inodes (df -h, df -i).",
  EDQUOT: "Free some space, or raise the quota.",
  EROFS: "Make it writable, or set TMPDIR to a directory that is.",
  EMFILE: "Allow more open files (ulimit -n).",
  ENFILE: "Close files of other programs: the machine has as many open as it can.",
  ENOMEM: "Free some memory, or run with fewer --jobs.",
  EAGAIN: "Allow more processes (ulimit -u).",
  EFBIG: "Allow larger files (ulimit -f).",
};

/**
 * An error of a system call that says that the machine lacks something, as that; undefined where it
 * says anything else.
 */
export function lackOf(error: unknown): EnvironmentError | undefined {
  if (!(error instanceof Error) || !("code" in error) || !("syscall" in error)) return undefined;
  const remedy = LACKING[String(error.code)];
  return remedy === undefined
    ? undefined
    : new EnvironmentError("machine-lacks", error.message, remedy);
}

/** A signal ended the run; what it came to by then is told before this process ends by it too. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  readonly signal: NodeJS.Signals;
  constructor(signal: NodeJS.Signals) {
    super(signal);
    this.signal = signal;
  }
}

/** What the user asked for makes no sense: exit status 64. */
export class UsageError extends Error {
  override readonly name: string = "UsageError";
}

/**
 * Whoever read what is written has seen enough, as head does: no mistake of the user's, and nothing
 * to be told of. The exit status is that of programs that SIGPIPE ends.
 */
export class ReaderGone extends UsageError {
  override readonly name = "ReaderGone";
}
