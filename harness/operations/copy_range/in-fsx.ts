import type { InFsx } from "../../aspects/in-fsx.ts";
import type { CopyRange } from "./operation.ts";

export const inFsx: InFsx<CopyRange> = {
  /** It would try for ever to copy the rest. */
  cannot: ({ pos, len }, { i_size }) =>
    pos + len <= i_size ? undefined : "fsx copies only what is there",
  line: ({ pos, to_pos, len }) => ({ name: "copy_range", numbers: [pos, len, to_pos] }),
};
