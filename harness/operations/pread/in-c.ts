import type { InC } from "../../aspects/in-c.ts";
import type { Pread } from "./operation.ts";

export const inC: InC<Pread, never> = {
  write(program, { pos, len }) {
    program.call(`pread(${program.fd()}, ${program.memory(len)}, ${len}, ${pos})`);
  },
};
