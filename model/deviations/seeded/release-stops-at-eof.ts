import { seeded } from "../deviation.ts";

export const releaseStopsAtEof = seeded({
  id: "release-stops-at-eof",
  claim: "A short delayed write keeps what it reserved past EOF.",
  reason: "The range to release is cut off at i_size, as that to scan for dirty data rightly is.",
  path: "iomap",
  witness: {
    kernel: "series v2",
    variant: "4k-delalloc",
    operations: [{ op: "pwrite", pos: 0, len: 4096, readable: 0 }],
  },
  visible: "step",
  override: (base) => ({
    iomap_write_delalloc_release(inode, start_byte, end_byte) {
      const end = Math.min(end_byte, inode.i_size);
      if (start_byte < end) base.iomap_write_delalloc_release(inode, start_byte, end);
    },
  }),
});
