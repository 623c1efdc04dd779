import type { ByProcesses } from "../../aspects/by-processes.ts";
import { runSync } from "../../system/process.ts";
import { errnoOf } from "../../system/program-errno.ts";
import type { Unlink } from "./operation.ts";

export const byProcesses: ByProcesses<Unlink> = {
  perform(file) {
    const removed = errnoOf("rm", runSync("rm", [file.path]));
    return removed < 0 ? removed : file.create();
  },
};
