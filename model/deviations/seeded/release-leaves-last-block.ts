import { seeded } from "../deviation.ts";

export const releaseLeavesLastBlock = seeded({
  id: "release-leaves-last-block",
  claim: "A delayed write that fails keeps the block that its last bytes were meant for.",
  reason: "The end of the range to release is rounded down to a block, not up.",
  path: "iomap",
  witness: {
    kernel: "series v2",
    variant: "4k-delalloc",
    operations: [{ op: "pwrite", pos: 0, len: 512, readable: 0 }],
  },
  visible: "step",
  override: (base) => ({
    ext4_iomap_buffered_da_write_end(inode, offset, length, ...rest) {
      const end = offset + length;
      const whole = end - (end % inode.i_sb.s_blocksize) - offset;
      if (whole > 0) base.ext4_iomap_buffered_da_write_end(inode, offset, whole, ...rest);
    },
  }),
});
