import type { InShell } from "../../aspects/in-shell.ts";
import type { SyncFileRange } from "./operation.ts";

export const inShell: InShell<SyncFileRange> = {
  /** A command for each flag: of several in one, xfs_io 6.1 takes the last alone. */
  write: (script, { pos, len }) =>
    script.xfsIo(...["-b", "-w", "-a"].map((flag) => `sync_range ${flag} ${pos} ${len}`)),
};
