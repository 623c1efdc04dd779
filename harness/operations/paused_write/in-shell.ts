import type { InShell } from "../../aspects/in-shell.ts";
import type { PausedWrite } from "./operation.ts";

export const inShell: InShell<PausedWrite> = {
  cannot: () => "no program stops in the middle of a write",
  write() {},
};
