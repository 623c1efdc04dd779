import { seeded } from "../deviation.ts";

export const releaseSkippedForNothing = seeded({
  id: "release-skipped-for-nothing",
  claim: "A delayed write that fails with nothing written keeps all that it reserved.",
  reason: "Zero bytes written is taken for nothing to do.",
  path: "iomap",
  witness: {
    kernel: "series v2",
    variant: "4k-delalloc",
    operations: [{ op: "pwrite", pos: 0, len: 4096, readable: 0 }],
  },
  visible: "step",
  override: (base) => ({
    ext4_iomap_buffered_da_write_end(inode, offset, length, written, iomap) {
      if (written === 0) return;
      base.ext4_iomap_buffered_da_write_end(inode, offset, length, written, iomap);
    },
  }),
});
