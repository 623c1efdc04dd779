import type { InFsx } from "../../aspects/in-fsx.ts";
import type { Pread } from "./operation.ts";

export const inFsx: InFsx<Pread> = {
  /** Of what lies past EOF fsx reads other bytes, from within the file. */
  line: ({ pos, len }, { i_size }) =>
    pos < i_size ? { name: "read", numbers: [pos, Math.min(len, i_size - pos)] } : undefined,
};
