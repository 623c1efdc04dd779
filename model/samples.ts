/**
 * Configurations for the model's own tests.
 */
import { kernels } from "./kernels/kernels.ts";
import type { ModelConfig } from "./tables.ts";

/** As mainline 6.18 does, with 1,000 free blocks of a page. */
export const delalloc: ModelConfig = {
  ...kernels["6.18"],
  blockSize: 4096,
  delalloc: true,
  journal: "ordered",
  dioread: "nolock",
  freeBlocks: 1000,
};

/** As version 2 of the series does, with as many. */
export const iomap: ModelConfig = { ...delalloc, ...kernels["series v2"], readAheadPages: 0 };

/** As 6.12 without delayed allocation, where a write converts the blocks that it finds. */
export const nodelalloc: ModelConfig = {
  ...delalloc,
  ...kernels["6.12"],
  delalloc: false,
  dioread: "lock",
};
