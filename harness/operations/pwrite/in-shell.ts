import type { InShell } from "../../aspects/in-shell.ts";
import type { Pwrite } from "./operation.ts";

export const inShell: InShell<Pwrite> = {
  cannot({ readable, len, iov, append, sync, limit, dontcache }) {
    if (readable < len && (append === true || sync !== undefined)) {
      return "the program that ends short in memory knows no flags";
    }
    if (iov !== undefined) return "no program takes its bytes from several places";
    if (limit !== undefined) return "ulimit(1) counts in blocks";
    return dontcache === undefined ? undefined : "dd does not know RWF_DONTCACHE";
  },
  write(script, { pos, len, readable, append, sync }, tag) {
    if (readable < len) {
      script.shortWrite({ pos, len, readable }, tag, false);
      return;
    }
    const flags = [
      ...(append === true ? ["append"] : ["seek_bytes"]),
      ...(sync === undefined ? [] : [sync === "data" ? "dsync" : "sync"]),
    ];
    const seek = append === true ? "" : ` seek=${pos}`;
    const how = `bs=${len} iflag=fullblock oflag=${flags.join(",")}${seek} conv=notrunc status=none`;
    script.call(`${script.bytes(tag, len)} | dd of=${script.path()} ${how}`);
  },
};
