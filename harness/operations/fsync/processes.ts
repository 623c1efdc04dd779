import type { ByProcesses } from "../../aspects/by-processes.ts";
import { runSync } from "../../system/process.ts";
import { errnoOf } from "../../system/program-errno.ts";
import type { Fsync } from "./operation.ts";

export const byProcesses: ByProcesses<Fsync> = {
  perform: ({ path }) => errnoOf("sync", runSync("sync", [path])),
};
