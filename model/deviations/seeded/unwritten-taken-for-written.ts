import { UNWRITTEN, WRITTEN } from "../../include/types.ts";
import { seeded } from "../deviation.ts";

export const unwrittenTakenForWritten = seeded({
  id: "unwritten-taken-for-written",
  claim: "Data that was written back reads as zero after the page cache is dropped.",
  reason:
    "An unwritten extent is taken for a written one, so nothing is converted when the I/O is done.",
  path: "iomap",
  witness: {
    kernel: "series v2",
    variant: "4k-delalloc",
    operations: [{ op: "pwrite", pos: 0, len: 4096, readable: 4096 }],
  },
  visible: "step",
  override: (base) => ({
    ext4_set_iomap(inode, map) {
      const iomap = base.ext4_set_iomap(inode, map);
      if (iomap.type === UNWRITTEN) iomap.type = WRITTEN;
      return iomap;
    },
  }),
});
