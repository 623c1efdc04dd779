import type { InShell } from "../../aspects/in-shell.ts";
import type { PowerCut } from "./operation.ts";

export const inShell: InShell<PowerCut> = {
  groups: () => ["shutdown"],
  write: (script) => script.lookAfterCut(),
};
