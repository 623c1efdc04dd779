/**
 * Exit statuses of the command, so that scripts and CI can tell outcomes apart. 64 and 70 are those
 * of sysexits.h.
 */
export const exitStatus = {
  conforms: 0,
  diverges: 1,
  notBuilt: 2,
  cannotRun: 4,
  usage: 64,
  ourBug: 70,
  /** To git bisect run: this commit cannot be tested. */
  cannotTell: 125,
  /** To git bisect run: it makes no sense to go on. */
  endBisection: 128,
  /** The reader of what it wrote went away: as a shell tells that SIGPIPE ended a program. */
  readerGone: 141,
} as const;

export type ExitStatus = (typeof exitStatus)[keyof typeof exitStatus];
