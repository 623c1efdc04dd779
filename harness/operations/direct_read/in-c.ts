import type { InC } from "../../aspects/in-c.ts";
import type { DirectRead } from "./operation.ts";

export const inC: InC<DirectRead, never> = {
  write(program, { pos, len }) {
    program.call(`pread(${program.directFd()}, ${program.memory(len)}, ${len}, ${pos})`);
  },
};
