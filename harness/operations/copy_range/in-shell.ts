import type { InShell } from "../../aspects/in-shell.ts";
import type { CopyRange } from "./operation.ts";

export const inShell: InShell<CopyRange> = {
  groups: () => ["copy_range"],
  write(script, { file = 0, pos, to_pos, len }) {
    script.xfsIo(`copy_range -s ${pos} -d ${to_pos} -l ${len} ${script.path(file)}`);
  },
};
