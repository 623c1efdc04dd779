import { seeded } from "../deviation.ts";

export const syncMissesLastByte = seeded({
  id: "sync-misses-last-byte",
  claim: "A last byte that begins a page stays delayed after an fsync.",
  reason: "The end of the range to be written back is one byte short.",
  path: "iomap",
  witness: {
    kernel: "series v2",
    variant: "4k-delalloc",
    operations: [{ op: "pwrite", pos: 0, len: 1, readable: 1 }],
  },
  visible: "step",
  override: (base) => ({
    writepages(inode, start, end) {
      const last = Math.min(end, inode.i_size - 2);
      return start <= last ? base.writepages(inode, start, last) : 0;
    },
  }),
});
