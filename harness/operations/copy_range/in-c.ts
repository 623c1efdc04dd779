import type { InC } from "../../aspects/in-c.ts";
import type { CopyRange } from "./operation.ts";

export const inC: InC<CopyRange, never> = {
  write(program, { file = 0, pos, to_pos, len }) {
    const [from, to] = [program.fd(file), program.fd()];
    program.call(
      `copy_file_range(${from}, &(off_t){${pos}}, ${to}, &(off_t){${to_pos}}, ${len}, 0)`,
    );
  },
};
