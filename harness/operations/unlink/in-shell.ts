import type { InShell } from "../../aspects/in-shell.ts";
import type { Unlink } from "./operation.ts";

export const inShell: InShell<Unlink> = {
  groups: () => ["unlink"],
  write(script) {
    script.call(`rm ${script.path()}`);
    script.replaced();
  },
};
