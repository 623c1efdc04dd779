import { notInFsx } from "../../aspects/in-fsx.ts";

export const inFsx = notInFsx("fsx looks at the file as it is mounted");
