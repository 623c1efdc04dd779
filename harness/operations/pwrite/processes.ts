import { writeFileSync } from "node:fs";
import { pattern, patternOffset } from "../../../model/include/pattern.ts";
import type { ByProcesses } from "../../aspects/by-processes.ts";
import { runSync } from "../../system/process.ts";
import { errnoOf } from "../../system/program-errno.ts";
import { isPlain } from "./operation.ts";
import type { Pwrite } from "./operation.ts";

export const byProcesses: ByProcesses<Pwrite> = {
  isPossible: (o, longest) => isPlain(o) && o.readable === o.len && o.pos <= longest,
  /**
   * One read of the source, one write(2) of `len` bytes (more only where the first one came back
   * short).
   */
  perform({ path, scratch }, { pos, len }, tag) {
    writeFileSync(scratch, pattern(tag).subarray(patternOffset(len)));
    const to = [`of=${path}`, "oflag=seek_bytes", `seek=${pos}`, "conv=notrunc"];
    const from = [`if=${scratch}`, `bs=${len}`, "count=1", "iflag=fullblock"];
    const result = runSync("dd", [...from, ...to]);
    const copied = Number(/^(\d+) bytes?\b.* copied/m.exec(result.stderr)?.[1] ?? 0);
    return copied > 0 ? copied : errnoOf("dd", result);
  },
};
