import { notInFsx } from "../../aspects/in-fsx.ts";

export const inFsx = notInFsx("fsx has no sync_file_range");
