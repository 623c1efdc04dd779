import { notInFsx } from "../../aspects/in-fsx.ts";

export const inFsx = notInFsx("fsx has one descriptor, for direct I/O or for none");
