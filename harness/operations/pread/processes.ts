import { readFileSync } from "node:fs";
import type { ByProcesses } from "../../aspects/by-processes.ts";
import { runSync } from "../../system/process.ts";
import { errnoOf } from "../../system/program-errno.ts";
import type { Pread } from "./operation.ts";

export const byProcesses: ByProcesses<Pread> = {
  isPossible: ({ pos }, longest) => pos <= longest,
  perform(file, { pos, len }) {
    const from = [`if=${file.path}`, "iflag=skip_bytes,fullblock", `skip=${pos}`];
    const result = runSync("dd", [...from, `of=${file.scratch}`, `bs=${len}`, "count=1"]);
    const error = errnoOf("dd", result);
    if (error < 0) return error;
    const bytes = new Uint8Array(readFileSync(file.scratch));
    file.read(bytes);
    return bytes.length;
  },
};
