import type { InFsx } from "../../aspects/in-fsx.ts";
import type { Fsync } from "./operation.ts";

export const inFsx: InFsx<Fsync> = { line: () => ({ name: "fsync", numbers: [0, 0] }) };
