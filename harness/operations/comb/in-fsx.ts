import { notInFsx } from "../../aspects/in-fsx.ts";

export const inFsx = notInFsx(
  "fsx has no call that does it, and a line for each tooth says nothing",
);
