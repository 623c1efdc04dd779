import { seeded } from "../deviation.ts";

export const disksizeLate = seeded({
  id: "disksize-late",
  claim: "After an fsync the size on disk is not that of the file.",
  reason: "I/O completion leaves i_disksize to somebody else.",
  path: "iomap",
  witness: {
    kernel: "series v2",
    variant: "4k-delalloc",
    operations: [{ op: "pwrite", pos: 0, len: 4096, readable: 4096 }],
  },
  visible: "checkpoint",
  override: (base) => ({
    finish_ioend(inode, ioend) {
      const { i_disksize } = inode;
      base.finish_ioend(inode, ioend);
      inode.i_disksize = i_disksize;
    },
  }),
});
