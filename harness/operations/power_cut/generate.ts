/**
 * power_cut: a look at what is on the disk. It changes nothing, so it is where it says most: at the
 * end of what matters.
 */
import type { Generation } from "../../aspects/generation.ts";
import type { PowerCut } from "./operation.ts";

export const generation: Generation<PowerCut> = {
  /** One of them is put into a case now and then (generation's weights.ts). */
  share: { recordable: 0, all: 0 },
  generate: () => ({ op: "power_cut" }),
  /** Whoever reads it must know what was committed when. */
  rank: () => 2,
  simpler: () => [{ op: "fsync" }],
};
