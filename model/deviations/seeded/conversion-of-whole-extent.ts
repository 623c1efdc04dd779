import { ext4_convert_unwritten_extents } from "../../ext4/extents.ts";
import { UNWRITTEN } from "../../include/types.ts";
import { seeded } from "../deviation.ts";

export const conversionOfWholeExtent = seeded({
  id: "conversion-of-whole-extent",
  claim:
    "Unwritten blocks beside those that were written become written, with what the disk held before.",
  reason: "I/O completion converts the extent, not the part of it that the I/O went to.",
  path: "iomap",
  witness: {
    kernel: "series v2",
    variant: "4k-delalloc",
    operations: [
      { op: "pwrite", pos: 0, len: 4096, readable: 4096 },
      { op: "fallocate", mode: "allocate", pos: 4096, len: 4096 },
    ],
  },
  visible: "step",
  override: (base) => ({
    finish_ioend(inode, ioend) {
      base.finish_ioend(inode, ioend);
      const extent = inode.i_extents.next(
        Math.ceil((ioend.io_offset + ioend.io_size) / inode.i_sb.s_blocksize),
      );
      if (ioend.io_type !== UNWRITTEN || extent?.value !== UNWRITTEN) return;
      if (
        extent.start * inode.i_sb.s_blocksize >
        ioend.io_offset + ioend.io_size + inode.i_sb.s_blocksize
      )
        return;
      ext4_convert_unwritten_extents(inode, extent.start, extent.end - extent.start);
    },
  }),
});
