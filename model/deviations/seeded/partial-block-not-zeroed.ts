import { seeded } from "../deviation.ts";

export const partialBlockNotZeroed = seeded({
  id: "partial-block-not-zeroed",
  claim: "Bytes that a truncation or a hole cuts off a block are still there.",
  reason: "The part of a block that is cut off is not zeroed.",
  witness: {
    kernel: "series v2",
    variant: "4k-delalloc",
    operations: [
      { op: "pwrite", pos: 0, len: 4096, readable: 4096 },
      { op: "ftruncate", size: 512 },
    ],
  },
  visible: "step",
  override: () => ({ ext4_block_zero_range: () => false }),
});
