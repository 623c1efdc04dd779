import type { InShell } from "../../aspects/in-shell.ts";
import type { Fsync } from "./operation.ts";

export const inShell: InShell<Fsync> = {
  write: (script) => script.call(`sync ${script.path()}`),
};
