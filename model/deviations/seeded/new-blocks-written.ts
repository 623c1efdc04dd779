import { EXT4_GET_BLOCKS_CREATE, ext4_map_blocks } from "../../ext4/extents.ts";
import { seeded } from "../deviation.ts";

export const newBlocksWritten = seeded({
  id: "new-blocks-written",
  claim: "Without delayed allocation a block is a written one before its data is on disk.",
  reason: "Blocks are allocated without EXT4_GET_BLOCKS_UNWRIT_EXT.",
  path: "iomap",
  witness: {
    kernel: "series v2",
    variant: "4k-nodelalloc",
    operations: [{ op: "pwrite", pos: 0, len: 4096, readable: 4096 }],
  },
  visible: "step",
  override: () => ({
    ext4_iomap_get_blocks(inode, map) {
      return Math.min(0, ext4_map_blocks(inode, map, EXT4_GET_BLOCKS_CREATE));
    },
  }),
});
