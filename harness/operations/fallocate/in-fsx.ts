import type { InFsx } from "../../aspects/in-fsx.ts";
import type { Fallocate, FallocateMode } from "./operation.ts";

/** Names and flags of fsx. */
const WORDS: Readonly<Record<FallocateMode, readonly [name: string, ...flags: string[]]>> = {
  allocate: ["fallocate"],
  keep_size: ["fallocate", "keep_size"],
  punch_hole: ["punch_hole"],
  zero_range: ["zero_range"],
  zero_range_keep_size: ["zero_range", "keep_size"],
  collapse_range: ["collapse_range"],
  insert_range: ["insert_range"],
};

export const inFsx: InFsx<Fallocate> = {
  cannot({ mode, pos, len }, { i_size }) {
    if (mode !== "punch_hole" || pos + len <= i_size) return undefined;
    return "fsx punches no hole past EOF";
  },
  line({ mode, pos, len }) {
    const [name, ...flags] = WORDS[mode];
    return { name, numbers: [pos, len], flags };
  },
};
