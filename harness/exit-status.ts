/**
 * Exit statuses of the command, so that scripts and CI can tell outcomes apart. 64 and 70 are those of sysexits.h.
 */
export const exitStatus = {
  conforms: 0,
  diverges: 1,
  notBuilt: 2,
  cannotRun: 4,
  usage: 64,
  ourBug: 70,
} as const;

export type ExitStatus = (typeof exitStatus)[keyof typeof exitStatus];
