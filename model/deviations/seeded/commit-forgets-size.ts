import { seeded } from "../deviation.ts";

export const commitForgetsSize = seeded({
  id: "commit-forgets-size",
  claim: "After a power cut a synced file has the size that it had at the fsync before.",
  reason: "The commit that fsync waits for has the inode from before its size changed.",
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
      const before = inode.disk?.committed?.i_disksize ?? 0;
      base.recordCommit(inode);
      const committed = inode.disk?.committed;
      if (committed !== undefined) committed.i_disksize = before;
    },
  }),
});
