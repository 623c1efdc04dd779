import { seeded } from "../deviation.ts";

export const releaseLeavesFirstBlock = seeded({
  id: "release-leaves-first-block",
  claim: "A delayed write that fails in the middle of a block keeps that block.",
  reason:
    "The start of the range to release is rounded up to a block also where nothing was written.",
  path: "iomap",
  witness: {
    kernel: "series v2",
    variant: "4k-delalloc",
    operations: [{ op: "pwrite", pos: 512, len: 4096, readable: 0 }],
  },
  visible: "step",
  override: () => ({
    iomap_last_written_block(inode, pos, written) {
      const size = inode.i_sb.s_blocksize;
      return Math.ceil((pos + written) / size) * size;
    },
  }),
});
