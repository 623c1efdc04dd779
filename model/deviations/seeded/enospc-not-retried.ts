import { seeded } from "../deviation.ts";

export const enospcNotRetried = seeded({
  id: "enospc-not-retried",
  claim:
    "A write fails with ENOSPC though the running transaction has freed the blocks that it needs.",
  reason: "An allocation that finds no space is not tried again after a commit.",
  witness: {
    kernel: "series v2",
    variant: "4k-nodelalloc",
    freeBlocks: 1,
    operations: [
      { op: "pwrite", pos: 0, len: 4096, readable: 4096 },
      { op: "ftruncate", size: 0 },
      { op: "pwrite", pos: 0, len: 4096, readable: 4096 },
    ],
  },
  visible: "step",
  override: () => ({ ext4_should_retry_alloc: () => false }),
});
