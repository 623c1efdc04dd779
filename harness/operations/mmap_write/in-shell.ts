import { PAGE_SIZE } from "../../../model/include/types.ts";
import type { InShell } from "../../aspects/in-shell.ts";
import type { MmapWrite } from "./operation.ts";

export const inShell: InShell<MmapWrite> = {
  groups: () => ["mmap"],
  write(script, { pos, len }, tag) {
    const start = pos - (pos % PAGE_SIZE);
    const code = script.letter(tag).charCodeAt(0);
    const mapping = `${start} ${pos + len - start}`;
    script.xfsIo(`mmap -rw ${mapping}`, `madvise -r ${mapping}`, `mwrite -S ${code} ${pos} ${len}`);
  },
};
