import { seeded } from "../deviation.ts";

export const commitForgetsFrees = seeded({
  id: "commit-forgets-frees",
  claim: "After a power cut a file has blocks again that were freed before its last fsync.",
  reason:
    "Freeing blocks does not note the transaction that fsync has to wait for (ext4_update_inode_fsync_trans()).",
  witness: {
    kernel: "6.18",
    variant: "4k-delalloc",
    operations: [
      { op: "pwrite", pos: 0, len: 4096, readable: 4096 },
      { op: "fsync" },
      { op: "ftruncate", size: 0 },
      { op: "fsync" },
      { op: "power_cut" },
    ],
  },
  visible: "power cut",
  override: (base) => ({
    recordCommit(inode) {
      const before = inode.disk?.committed;
      base.recordCommit(inode);
      const after = inode.disk?.committed;
      if (before === undefined || after === undefined) return;
      for (const { start, end } of before.freed) {
        for (const part of before.i_extents.within(start, end)) {
          after.i_extents.set(part.start, part.end, part.value);
        }
      }
    },
  }),
});
