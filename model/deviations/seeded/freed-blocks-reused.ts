import { seeded } from "../deviation.ts";

export const freedBlocksReused = seeded({
  id: "freed-blocks-reused",
  claim:
    "After a power cut a file from which blocks were cut, and that was not synced since, has others' data in them.",
  reason: "Blocks are given to others before the transaction that freed them has committed.",
  witness: {
    kernel: "6.18",
    variant: "4k-delalloc",
    operations: [
      { op: "pwrite", pos: 0, len: 4096, readable: 4096 },
      { op: "fsync" },
      { op: "ftruncate", size: 0 },
      { op: "power_cut" },
    ],
  },
  visible: "power cut",
  override: (base) => ({
    ext4_ext_remove_space(inode, lblk, len) {
      base.ext4_ext_remove_space(inode, lblk, len);
      const { s_blocksize } = inode.i_sb;
      const committed = inode.disk?.committed;
      for (const { start, end } of committed?.freed ?? []) {
        committed?.contents.delete(start * s_blocksize, end * s_blocksize);
      }
    },
  }),
});
