import { seeded } from "../deviation.ts";

export const delallocSwitchedOff = seeded({
  id: "delalloc-switched-off",
  claim: "On a file system with plenty of space a delayed write allocates at once.",
  reason: "The comparison of free with reserved blocks is the wrong way round.",
  path: "iomap",
  witness: {
    kernel: "series v2",
    variant: "4k-delalloc",
    operations: [{ op: "pwrite", pos: 0, len: 4096, readable: 4096 }],
  },
  visible: "step",
  override: () => ({
    ext4_nonda_switch: (sb) => 2 * sb.s_freeclusters_counter > 3 * sb.s_dirtyclusters_counter,
  }),
});
