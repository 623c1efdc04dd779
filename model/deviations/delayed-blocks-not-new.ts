import { BH_New, DELAYED } from "../include/types.ts";
import type { Deviation } from "./deviation.ts";

/**
 * Kernel: fs/ext4/inode.c ext4_iomap_buffered_da_write_end() of the patch releases what a short
 * write left only where the mapping is IOMAP_F_NEW. fs/ext4/inode.c ext4_set_iomap() sets that from
 * EXT4_MAP_NEW, and nothing in the series sets EXT4_MAP_NEW for a delayed block:
 * ext4_da_map_blocks() returns EXT4_MAP_DELAYED alone, for blocks it has just reserved and for such
 * as were delayed before.
 *
 * Recorded (6.12.8 with series v1, 6.19.11 with series v2): every short or failed delayed write
 * keeps what it mapped. The same series with EXT4_MAP_NEW set where ext4_da_map_blocks() reserves
 * keeps nothing. The patch is wrong, not the model.
 */
export const delayedBlocksNotNew: Deviation = {
  id: "delayed-blocks-not-new",
  claim:
    "A delayed write that ends short or fails keeps the reservation of all the blocks that it mapped.",
  severity: "accounting",
  reason:
    "Newly reserved delayed blocks are not marked new, so ext4_iomap_buffered_da_write_end() takes them for someone else's.",
  seenIn: ["series v1 on 6.12.8", "series v2 on 6.19.11"],
  path: "iomap",
  visible: "step",
  breaks: [
    "released-after-short-write",
    "nothing-delayed-past-eof",
    "nothing-delayed-after-sync",
    // A direct read fails with EIO where a block is still delayed.
    "read-returns-what-was-written",
  ],
  takes: "short copy",
  witness: {
    kernel: "series v2",
    variant: "4k-delalloc",
    operations: [{ op: "pwrite", pos: 0, len: 4096, readable: 0 }],
  },
  override: (base) => ({
    ext4_da_map_blocks(inode, map) {
      const error = base.ext4_da_map_blocks(inode, map);
      map.m_flags &= ~BH_New;
      return error;
    },
    ext4_iomap_buffered_da_write_end(inode, offset, length, written, iomap) {
      if (iomap.type === DELAYED && written < length) inode.deviated.add(delayedBlocksNotNew.id);
      base.ext4_iomap_buffered_da_write_end(inode, offset, length, written, iomap);
    },
  }),
};
