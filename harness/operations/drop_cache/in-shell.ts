import type { InShell } from "../../aspects/in-shell.ts";
import type { DropCache } from "./operation.ts";

export const inShell: InShell<DropCache> = {
  write(script) {
    const path = script.path();
    script.call(`sync ${path} && dd if=${path} iflag=nocache count=0 status=none`);
  },
};
