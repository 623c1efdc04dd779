import { directBytes } from "../../../model/include/pattern.ts";
import type { InC } from "../../aspects/in-c.ts";
import type { DirectWrite } from "./operation.ts";

export const inC: InC<DirectWrite, never> = {
  write(program, { pos, len, readable }, tag) {
    const memory = program.buffer(tag, directBytes(readable));
    program.call(`pwrite(${program.directFd()}, ${memory}, ${len}, ${pos})`);
  },
};
