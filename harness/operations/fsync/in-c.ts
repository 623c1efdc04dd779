import type { InC } from "../../aspects/in-c.ts";
import type { Fsync } from "./operation.ts";

export const inC: InC<Fsync, never> = {
  write(program) {
    program.call(`fsync(${program.fd()})`);
  },
};
