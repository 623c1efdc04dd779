/**
 * unlink: the file goes, whatever state it is in, and the case goes on with a new one.
 */
import type { Generation } from "../../aspects/generation.ts";
import type { Unlink } from "./operation.ts";

export const generation: Generation<Unlink> = {
  share: { recordable: 0, all: 1 },
  generate: () => ({ op: "unlink" }),
  rank: () => 2,
  simpler: () => [{ op: "ftruncate", size: 0 }, { op: "fsync" }],
};
