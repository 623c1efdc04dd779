import type { InShell } from "../../aspects/in-shell.ts";
import { isAligned } from "../../case/limits.ts";
import type { DirectRead } from "./operation.ts";

export const inShell: InShell<DirectRead> = {
  cannot: (o) => (isAligned(o) ? undefined : "dd leaves O_DIRECT off where it is not aligned"),
  write(script, { pos, len }) {
    const how = `iflag=direct,skip_bytes skip=${pos} bs=${len} count=1 status=none`;
    script.call(`dd if=${script.path()} of=${script.own("got")} ${how}`);
  },
};
