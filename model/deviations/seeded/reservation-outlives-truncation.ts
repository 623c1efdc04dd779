import { EXT_MAX_BLOCKS } from "../../include/types.ts";
import { seeded } from "../deviation.ts";

export const reservationOutlivesTruncation = seeded({
  id: "reservation-outlives-truncation",
  claim: "A delayed block that is truncated away stays reserved.",
  reason:
    "Removing a delayed extent from the extent status tree does not give back its reservation.",
  witness: {
    kernel: "series v2",
    variant: "4k-delalloc",
    operations: [
      { op: "pwrite", pos: 0, len: 4096, readable: 4096 },
      { op: "ftruncate", size: 0 },
    ],
  },
  visible: "step",
  override: (base) => ({
    ext4_es_remove_extent(inode, lblk, len) {
      const isTruncation = lblk + len === EXT_MAX_BLOCKS;
      if (!isTruncation) base.ext4_es_remove_extent(inode, lblk, len);
      else inode.i_es_tree.delete(lblk, lblk + len);
    },
  }),
});
