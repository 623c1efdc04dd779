import { seeded } from "../deviation.ts";

export const reservedTwice = seeded({
  id: "reserved-twice",
  claim: "A delayed block takes two blocks from what may be promised.",
  reason:
    "A reservation is counted where the block is mapped, and again where the extent is inserted.",
  witness: {
    kernel: "series v2",
    variant: "4k-delalloc",
    operations: [{ op: "pwrite", pos: 0, len: 4096, readable: 4096 }],
  },
  visible: "step",
  override: (base) => ({
    ext4_da_reserve_space(inode, nr_resv) {
      return base.ext4_da_reserve_space(inode, 2 * nr_resv);
    },
  }),
});
