import { EIO } from "../../errno.ts";
import type { Deviation } from "../deviation.ts";

export const refusedDataConverted: Deviation = {
  id: "refused-data-converted",
  claim:
    "A block whose data the device refused is written all the same, with whatever lay there before.",
  reason: "The end of an I/O converts the blocks that it was for, whether it failed or not.",
  seenIn: ["seeded"],
  path: "buffer_head",
  breaks: [],
  witness: {
    kernel: "6.18",
    variant: "4k-thin",
    operations: [
      { op: "pwrite", pos: 0, len: 4096, readable: 4096 },
      { op: "fsync", starved: true },
    ],
  },
  visible: "step",
  override: (base) => ({
    mpage_map_one_extent(inode, map) {
      const { refuses } = inode;
      inode.refuses = undefined;
      const error = base.mpage_map_one_extent(inode, map);
      inode.refuses = refuses;
      if (refuses !== undefined) inode.wb_err = EIO;
      return error;
    },
  }),
};
