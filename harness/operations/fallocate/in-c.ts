import type { InC } from "../../aspects/in-c.ts";
import type { Fallocate, FallocateMode } from "./operation.ts";

export const FLAGS: Readonly<Record<FallocateMode, string>> = {
  allocate: "0",
  keep_size: "FALLOC_FL_KEEP_SIZE",
  punch_hole: "FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE",
  zero_range: "FALLOC_FL_ZERO_RANGE",
  zero_range_keep_size: "FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE",
  collapse_range: "FALLOC_FL_COLLAPSE_RANGE",
  insert_range: "FALLOC_FL_INSERT_RANGE",
};

export const inC: InC<Fallocate, never> = {
  write(program, { mode, pos, len }) {
    program.call(`fallocate(${program.fd()}, ${FLAGS[mode]}, ${pos}, ${len})`);
  },
};
