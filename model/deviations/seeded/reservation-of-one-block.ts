import { EXT_MAX_BLOCKS } from "../../include/types.ts";
import { seeded } from "../deviation.ts";

export const reservationOfOneBlock = seeded({
  id: "reservation-of-one-block",
  claim: "Of several delayed blocks that are removed at once one stays reserved.",
  reason: "The blocks of an extent are counted from its first to its last, without the last.",
  witness: {
    kernel: "series v2",
    variant: "4k-delalloc",
    operations: [
      { op: "pwrite", pos: 0, len: 8192, readable: 8192 },
      { op: "ftruncate", size: 0 },
    ],
  },
  visible: "step",
  override: (base) => ({
    ext4_es_remove_extent(inode, lblk, len) {
      const { i_sb, i_reserved_data_blocks } = inode;
      base.ext4_es_remove_extent(inode, lblk, len);
      const released = i_reserved_data_blocks - inode.i_reserved_data_blocks;
      if (lblk + len < EXT_MAX_BLOCKS || released < 2) return;
      inode.i_reserved_data_blocks += 1;
      i_sb.s_dirtyclusters_counter += 1;
    },
  }),
});
