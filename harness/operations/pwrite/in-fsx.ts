import type { InFsx } from "../../aspects/in-fsx.ts";
import { isPlain } from "./operation.ts";
import type { Pwrite } from "./operation.ts";

export const inFsx: InFsx<Pwrite> = {
  cannot(o) {
    const { dontcache: _dontcache, ...rest } = o;
    if (o.readable < o.len) return "fsx writes from memory that it can read";
    return isPlain(rest) ? undefined : "fsx writes in one piece, without flags and limits";
  },
  line: ({ pos, len, dontcache }) => ({
    name: dontcache === true ? "write_dontcache" : "write",
    numbers: [pos, len],
  }),
};
