import type { InShell } from "../../aspects/in-shell.ts";
import type { SyncFileRange } from "./operation.ts";

export const inShell: InShell<SyncFileRange> = {
  /** A command for each flag: of several in one, xfs_io 6.1 takes the last alone. */
  write(script, { pos, len, nowait }) {
    const range = `${pos} ${len}`;
    if (nowait === true) script.xfsIo(`sync_range -w ${range}`, "sync_range -b 0 0");
    else script.xfsIo(...["-b", "-w", "-a"].map((flag) => `sync_range ${flag} ${range}`));
  },
};
