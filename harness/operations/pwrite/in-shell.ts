import type { InShell } from "../../aspects/in-shell.ts";
import type { Pwrite } from "./operation.ts";

export const inShell: InShell<Pwrite> = {
  cannot({ readable, len, iov, limit, dontcache }) {
    if (readable < len) return "no program writes from memory that it cannot read";
    if (iov !== undefined) return "no program takes its bytes from several places";
    if (limit !== undefined) return "ulimit(1) counts in blocks";
    return dontcache === undefined ? undefined : "dd does not know RWF_DONTCACHE";
  },
  write(script, { pos, len, append, sync }, tag) {
    const flags = [
      ...(append === true ? ["append"] : ["seek_bytes"]),
      ...(sync === undefined ? [] : [sync === "data" ? "dsync" : "sync"]),
    ];
    const seek = append === true ? "" : ` seek=${pos}`;
    const how = `bs=${len} iflag=fullblock oflag=${flags.join(",")}${seek} conv=notrunc status=none`;
    script.call(`${script.bytes(tag, len)} | dd of=${script.path()} ${how}`);
  },
};
