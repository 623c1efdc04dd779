import { notInFsx } from "../../aspects/in-fsx.ts";

export const inFsx = notInFsx("fsx has one file, to the end");
