import type { InC } from "../../aspects/in-c.ts";
import type { Unlink } from "./operation.ts";

export const inC: InC<Unlink, never> = {
  write(program) {
    program.call(`unlink("${program.path}")`);
    program.replaced();
  },
};
