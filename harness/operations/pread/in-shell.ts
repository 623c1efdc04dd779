import type { InShell } from "../../aspects/in-shell.ts";
import type { Pread } from "./operation.ts";

export const inShell: InShell<Pread> = {
  write(script, { pos, len }) {
    const how = `iflag=skip_bytes,fullblock skip=${pos} bs=${len} count=1 status=none`;
    script.call(`dd if=${script.path()} of=${script.own("got")} ${how}`);
  },
};
