import type { InC } from "../../aspects/in-c.ts";
import type { Ftruncate } from "./operation.ts";

export const inC: InC<Ftruncate, never> = {
  write(program, { size }) {
    program.call(`ftruncate(${program.fd()}, ${size})`);
  },
};
