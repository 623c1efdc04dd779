/**
 * Configurations for the model's own tests. What kernels are known to do is in images/kernels.ts,
 * which the model does not know.
 */
import type { ModelConfig } from "./tables.ts";

/** As mainline 6.18 does, with 1,000 free blocks of a page. */
export const delalloc: ModelConfig = {
  path: "buffer_head",
  blockSize: 4096,
  delalloc: true,
  journal: "ordered",
  dioread: "nolock",
  largeFolios: true,
  prefaultFirst: false,
  zeroesGap: "after",
  punchesTo: "page",
  directAligns: "mapping",
  freeBlocks: 1000,
};

/** As 6.12 without delayed allocation, where a write converts the blocks that it finds. */
export const nodelalloc: ModelConfig = {
  ...delalloc,
  delalloc: false,
  dioread: "lock",
  largeFolios: false,
  prefaultFirst: true,
  directAligns: "request",
};
