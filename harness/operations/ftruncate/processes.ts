import type { ByProcesses } from "../../aspects/by-processes.ts";
import { runSync } from "../../system/process.ts";
import { errnoOf } from "../../system/program-errno.ts";
import type { Ftruncate } from "./operation.ts";

export const byProcesses: ByProcesses<Ftruncate> = {
  perform: ({ path }, { size }) =>
    errnoOf("truncate", runSync("truncate", ["-s", String(size), path])),
};
