/**
 * other_file: from now on the other of the case's two files is the one that is worked on.
 */
import type { Generation } from "../../aspects/generation.ts";
import type { OtherFile } from "./operation.ts";

export const generation: Generation<OtherFile> = {
  /** Drawn where a case has two files (generation's weights.ts). */
  share: { recordable: 0, all: 0 },
  generate: () => ({ op: "other_file" }),
  /** Whoever reads it must keep two files apart. */
  rank: () => 6,
  simpler: () => [{ op: "unlink" }, { op: "fsync" }],
};
