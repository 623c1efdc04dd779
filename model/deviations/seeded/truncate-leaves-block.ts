import { seeded } from "../deviation.ts";

export const truncateLeavesBlock = seeded({
  id: "truncate-leaves-block",
  claim: "The first block past the new end of a file stays allocated.",
  reason: "The first block to be freed is rounded up once too often.",
  witness: {
    kernel: "series v2",
    variant: "4k-delalloc",
    operations: [
      { op: "fallocate", mode: "allocate", pos: 0, len: 4096 },
      { op: "ftruncate", size: 0 },
    ],
  },
  visible: "step",
  override: (base) => ({
    ext4_ext_remove_space(inode, lblk, len) {
      base.ext4_ext_remove_space(inode, lblk + 1, len - 1);
    },
  }),
});
