import { DELAYED } from "../../include/types.ts";
import { seeded } from "../deviation.ts";

export const releaseTakesOlderReservation = seeded({
  id: "release-takes-older-reservation",
  claim: "A delayed write that fails takes away the reservation of data that an earlier one wrote.",
  reason:
    "Whether the mapping is new, and so this write's own, is not asked, and dirty data is not looked for.",
  path: "iomap",
  witness: {
    kernel: "series v2",
    variant: "4k-delalloc",
    operations: [{ op: "pwrite", pos: 0, len: 4096, readable: 512 }],
  },
  visible: "step",
  override: () => ({
    ext4_iomap_buffered_da_write_end(inode, offset, length, written, iomap) {
      const { s_op, s_blocksize } = inode.i_sb;
      if (iomap.type !== DELAYED) return;
      const start = s_op.iomap_last_written_block(inode, offset, written);
      const end = Math.ceil((offset + length) / s_blocksize) * s_blocksize;
      if (start < end) s_op.ext4_iomap_punch_delalloc(inode, start, end - start);
    },
  }),
});
