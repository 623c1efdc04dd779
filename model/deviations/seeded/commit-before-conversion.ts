import { UNWRITTEN, WRITTEN } from "../../include/types.ts";
import { seeded } from "../deviation.ts";

export const commitBeforeConversion = seeded({
  id: "commit-before-conversion",
  claim: "After a power cut blocks that fsync has written read as zeros.",
  reason:
    "fsync waits for the data and for a commit, and not for the transaction that converts the blocks to written ones.",
  witness: {
    kernel: "6.18",
    variant: "4k-delalloc",
    operations: [
      { op: "pwrite", pos: 0, len: 4096, readable: 4096 },
      { op: "fsync" },
      { op: "power_cut" },
    ],
  },
  visible: "power cut",
  override: (base) => ({
    recordCommit(inode) {
      const before = inode.disk?.committed?.i_extents;
      base.recordCommit(inode);
      const after = inode.disk?.committed?.i_extents;
      for (const { start, end, value } of inode.i_extents) {
        if (value !== WRITTEN) continue;
        for (let lblk = start; lblk < end; lblk++) {
          if (before?.get(lblk) !== WRITTEN) after?.set(lblk, lblk + 1, UNWRITTEN);
        }
      }
    },
  }),
});
