import { seeded } from "../deviation.ts";

export const nodelallocTruncates = seeded({
  id: "nodelalloc-truncates",
  claim:
    "Without delayed allocation a write that fails frees the blocks past EOF that it allocated, as the other path must.",
  reason:
    "What a failed write allocated past EOF is truncated, though it is unwritten and harmless.",
  path: "iomap",
  witness: {
    kernel: "series v2",
    variant: "4k-nodelalloc",
    operations: [{ op: "pwrite", pos: 0, len: 4096, readable: 0 }],
  },
  visible: "step",
  override: (base) => ({
    perform_write(inode, pos, len, from, source) {
      const result = base.perform_write(inode, pos, len, from, source);
      if (result < len) inode.i_sb.s_op.ext4_truncate_failed_write(inode);
      return result;
    },
  }),
});
