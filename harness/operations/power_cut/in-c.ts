import type { InC } from "../../aspects/in-c.ts";
import type { PowerCut } from "./operation.ts";

export const inC: InC<PowerCut, never> = {
  write(program) {
    program.lookAfterCut();
  },
};
