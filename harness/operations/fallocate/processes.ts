import type { ByProcesses } from "../../aspects/by-processes.ts";
import { runSync } from "../../system/process.ts";
import { errnoOf } from "../../system/program-errno.ts";
import type { Fallocate } from "./operation.ts";
import { OPTIONS } from "./options.ts";

/** fallocate(1) also calls fsync(2) where fallocate(2) succeeded. */
export const byProcesses: ByProcesses<Fallocate> = {
  perform(file, { mode, pos, len }) {
    const range = ["-o", String(pos), "-l", String(len)];
    const args = [...OPTIONS[mode], ...range, file.path];
    const result = errnoOf("fallocate", runSync("fallocate", args));
    if (result === 0) file.alsoSynced();
    return result;
  },
};
