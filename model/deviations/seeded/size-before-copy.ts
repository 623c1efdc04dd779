import { seeded } from "../deviation.ts";

export const sizeBeforeCopy = seeded({
  id: "size-before-copy",
  claim: "A write that ends short moves i_size to where it was to end.",
  reason: "i_size is set before the copy, from the length that was asked for.",
  path: "iomap",
  witness: {
    kernel: "series v2",
    variant: "4k-delalloc",
    operations: [{ op: "pwrite", pos: 0, len: 8192, readable: 4096 }],
  },
  visible: "step",
  override: (base) => ({
    __iomap_write_end(inode, folio, pos, len, copied) {
      inode.i_size = Math.max(inode.i_size, pos + len);
      return base.__iomap_write_end(inode, folio, pos, len, copied);
    },
  }),
});
