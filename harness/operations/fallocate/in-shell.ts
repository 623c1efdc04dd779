import type { InShell } from "../../aspects/in-shell.ts";
import type { Fallocate, FallocateMode } from "./operation.ts";
import { OPTIONS } from "./options.ts";

/** Commands of xfs_io(8). */
export const COMMANDS: Readonly<Record<FallocateMode, string>> = {
  allocate: "falloc",
  keep_size: "falloc -k",
  punch_hole: "fpunch",
  zero_range: "fzero",
  zero_range_keep_size: "fzero -k",
  collapse_range: "fcollapse",
  insert_range: "finsert",
};

/** Groups of xfstests. */
export const GROUPS: Readonly<Record<FallocateMode, string>> = {
  allocate: "prealloc",
  keep_size: "prealloc",
  punch_hole: "punch",
  zero_range: "zero",
  zero_range_keep_size: "zero",
  collapse_range: "collapse",
  insert_range: "insert",
};

export const inShell: InShell<Fallocate> = {
  groups: ({ mode }) => [GROUPS[mode]],
  /** fallocate(1) syncs the file as well: it does where that comes next anyway. */
  write(script, { mode, pos, len }) {
    if (!script.syncsNext) {
      script.xfsIo(`${COMMANDS[mode]} ${pos} ${len}`);
      return;
    }
    const options = [...OPTIONS[mode], "-o", pos, "-l", len];
    script.call(`fallocate ${options.join(" ")} ${script.path()}`);
  },
};
