import type { Deviation } from "./deviation.ts";

/**
 * Kernel: fs/buffer.c try_to_free_buffers() cancels the dirt of a folio whose buffers are all clean
 * (truncation cut off the dirty ones). The folio keeps PAGECACHE_TAG_DIRTY, since only writeback
 * clears it; and until 7.0 fs/ext4/inode.c mpage_prepare_extent_to_map() passes by a tagged folio
 * that is clean. At unmount fs/ext4/inode.c ext4_evict_inode() takes the tag for dirt and warns.
 * Nothing is lost; 7.3 cycles such a folio through the writeback state.
 *
 * Measured (6.18.44, the witness): after the last fsync /proc/kpageflags has the page clean, and
 * unmounting warns all the same; what is on disk is right. cachestat(2) counts the page as dirty,
 * so it shows there at once. The kernel is wrong, about the warning only.
 */
export const dirtyTagOutlivesDirt: Deviation = {
  id: "dirty-tag-outlives-dirt",
  claim:
    "After a truncation or punch inside a large folio, unmounting warns that data will be lost, though none is.",
  severity: "page cache",
  reason:
    "A folio that became clean by losing its dirty buffers stays tagged dirty in the page cache.",
  seenIn: ["6.18"],
  visible: "unmount",
  path: "buffer_head",
  breaks: [],
  witness: {
    kernel: "6.18",
    variant: "4k-delalloc",
    operations: [
      { op: "pwrite", pos: 0, len: 8192, readable: 8192 },
      { op: "fsync" },
      { op: "pwrite", pos: 4096, len: 4096, readable: 4096 },
      { op: "ftruncate", size: 4096 },
      { op: "fsync" },
    ],
  },
  override: () => ({
    folio_cancel_dirty(inode, folio) {
      folio.dirty = false;
      inode.deviated.add(dirtyTagOutlivesDirt.id);
    },
  }),
};
