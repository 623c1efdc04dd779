import { seeded } from "../deviation.ts";

export const sizeBeforeData = seeded({
  id: "size-before-data",
  claim:
    "After a power cut a file is as long as what was written to it, and has zeros where nothing was synced.",
  reason: "A delayed write moves i_disksize at once instead of leaving that to writeback.",
  witness: {
    kernel: "6.18",
    variant: "4k-delalloc",
    operations: [
      { op: "pwrite", pos: 4096, len: 4096, readable: 4096 },
      { op: "pwrite", pos: 0, len: 4096, readable: 4096, sync: "all" },
      { op: "power_cut" },
    ],
  },
  visible: "power cut",
  override: (base) => ({
    write_end(inode, pos, len, copied, folio, source) {
      const accepted = base.write_end(inode, pos, len, copied, folio, source);
      inode.i_disksize = Math.max(inode.i_disksize, accepted > 0 ? pos + accepted : 0);
      return accepted;
    },
  }),
});
