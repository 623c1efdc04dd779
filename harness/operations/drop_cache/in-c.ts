import type { InC } from "../../aspects/in-c.ts";
import type { DropCache } from "./operation.ts";

export const inC: InC<DropCache, never> = {
  write(program) {
    const fd = program.fd();
    program.call(`fsync(${fd})`);
    program.lines(`if (r == 0)`, `\tr = -posix_fadvise(${fd}, 0, 0, POSIX_FADV_DONTNEED);`);
  },
};
