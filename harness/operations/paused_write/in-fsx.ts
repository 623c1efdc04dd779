import { notInFsx } from "../../aspects/in-fsx.ts";

export const inFsx = notInFsx("fsx stops in the middle of no write");
