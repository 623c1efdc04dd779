import { directBytes } from "../../../model/include/pattern.ts";
import type { InShell } from "../../aspects/in-shell.ts";
import { isAligned } from "../../case/limits.ts";
import type { DirectWrite } from "./operation.ts";

export const inShell: InShell<DirectWrite> = {
  cannot(o) {
    if (o.readable < o.len || isAligned(o)) return undefined;
    return "dd leaves O_DIRECT off where it is not aligned";
  },
  write(script, o, tag) {
    const { pos, len, readable } = o;
    if (readable < len) {
      script.shortWrite({ pos, len, readable: directBytes(readable) }, tag, true);
      return;
    }
    const how = `iflag=fullblock oflag=direct,seek_bytes seek=${pos} conv=notrunc status=none`;
    script.call(`${script.bytes(tag, len)} | dd of=${script.path()} bs=${len} ${how}`);
  },
};
