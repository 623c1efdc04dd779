import type { InFsx } from "../../aspects/in-fsx.ts";
import type { Ftruncate } from "./operation.ts";

export const inFsx: InFsx<Ftruncate> = {
  line: ({ size }) => ({ name: "truncate", numbers: [0, size] }),
};
