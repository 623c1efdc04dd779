import type { InShell } from "../../aspects/in-shell.ts";
import { isAligned } from "../../case/limits.ts";
import type { DirectWrite } from "./operation.ts";

export const inShell: InShell<DirectWrite> = {
  cannot(o) {
    if (o.readable < o.len) return "no program writes from memory that it cannot read";
    return isAligned(o) ? undefined : "dd leaves O_DIRECT off where it is not aligned";
  },
  write(script, { pos, len }, tag) {
    const how = `iflag=fullblock oflag=direct,seek_bytes seek=${pos} conv=notrunc status=none`;
    script.call(`${script.bytes(tag, len)} | dd of=${script.path()} bs=${len} ${how}`);
  },
};
