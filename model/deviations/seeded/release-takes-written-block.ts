import { seeded } from "../deviation.ts";

export const releaseTakesWrittenBlock = seeded({
  id: "release-takes-written-block",
  claim: "A short delayed write gives back the block that its last bytes went into as well.",
  reason:
    "The end of what was written is rounded down to a block, and no dirty data is looked for.",
  path: "iomap",
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
    iomap_write_delalloc_release(inode, start_byte, end_byte) {
      base.ext4_iomap_punch_delalloc(inode, start_byte, end_byte - start_byte);
    },
  }),
});
