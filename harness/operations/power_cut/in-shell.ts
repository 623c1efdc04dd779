import type { InShell } from "../../aspects/in-shell.ts";
import type { PowerCut } from "./operation.ts";

export const inShell: InShell<PowerCut> = { write: (script) => script.lookAfterCut() };
