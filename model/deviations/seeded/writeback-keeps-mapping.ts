import { seeded } from "../deviation.ts";

export const writebackKeepsMapping = seeded({
  id: "writeback-keeps-mapping",
  claim: "Dirty data stays delayed after an fsync.",
  reason:
    "Writeback goes on with the mapping of the dirty blocks before, without asking whether it reaches that far.",
  path: "iomap",
  witness: {
    kernel: "series v2",
    variant: "4k-delalloc",
    operations: [
      { op: "pwrite", pos: 0, len: 4096, readable: 4096 },
      { op: "fsync" },
      { op: "pwrite", pos: 0, len: 8192, readable: 8192 },
    ],
  },
  visible: "step",
  override: (base) => ({
    map_blocks(inode, wpc, offset, dirty_len) {
      if (wpc.iomap === undefined) return base.map_blocks(inode, wpc, offset, dirty_len);
      wpc.iomap = { ...wpc.iomap, offset, length: dirty_len };
      return 0;
    },
  }),
});
