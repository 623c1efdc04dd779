import type { InShell } from "../../aspects/in-shell.ts";
import { COMMANDS, GROUPS } from "../fallocate/in-shell.ts";
import { teethOf } from "./operation.ts";
import type { Comb } from "./operation.ts";

export const inShell: InShell<Comb> = {
  groups: ({ call }) => (call === "pwrite" ? [] : [GROUPS[call]]),
  write(script, o, tag) {
    const { pos, len, tooth, stride, call, backwards } = o;
    const last = pos + (teethOf(o) - 1) * stride;
    const rest = len % stride;
    // Only the last one may be shorter.
    const part =
      rest === 0 || rest >= tooth
        ? String(tooth)
        : `$((${pos + len} - at < ${tooth} ? ${pos + len} - at : ${tooth}))`;
    const i = `(${backwards === true ? `${last} - at` : `at - ${pos}`}) / ${stride}`;
    const letter = `$((${script.letter(0).charCodeAt(0)} + (${tag} + ${i} + ${i} / 4) % 4))`;
    const command =
      call === "pwrite"
        ? `pwrite -q -b ${tooth} -S ${letter} $at ${part}`
        : `${COMMANDS[call]} $at ${part}`;
    const places = backwards === true ? [last, -stride, pos] : [pos, stride, last];
    script.xfsIoEach(`seq ${places.join(" ")}`, command);
  },
};
