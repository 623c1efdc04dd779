import type { Deviation } from "../deviation.ts";

export const releaseTakesWrittenBlock: Deviation = {
  id: "release-takes-written-block",
  claim: "A short delayed write gives back the block that its last bytes went into as well.",
  reason: "The end of what was written is rounded down to a block, not up.",
  seenIn: ["seeded"],
  path: "iomap",
  breaks: [],
  witness: {
    kernel: "series v2",
    variant: "4k-delalloc",
    operations: [{ op: "pwrite", pos: 0, len: 512, readable: 512 }],
  },
  visible: "step",
  override: (base) => ({
    iomap_last_written_block(inode, pos, written) {
      const end = pos + written;
      return written === 0
        ? base.iomap_last_written_block(inode, pos, 0)
        : end - (end % inode.i_sb.s_blocksize);
    },
  }),
};
