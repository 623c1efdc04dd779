import type { InShell } from "../../aspects/in-shell.ts";
import type { Ftruncate } from "./operation.ts";

export const inShell: InShell<Ftruncate> = {
  /** fs/ext4/inode.c ext4_truncate(), ext4_release_file() */
  cannot: ({ size }) =>
    size === 0 ? "what was emptied is written back as soon as a program has closed it" : undefined,
  write: (script, { size }) => script.call(`truncate -s ${size} ${script.path()}`),
};
