import type { Deviation } from "./deviation.ts";

/**
 * Kernel: fs/ext4/inode.c ext4_da_write_end() goes on to ext4_da_do_write_end() after a short copy,
 * and nothing on that way looks at the blocks that write_begin reserved and the copy did not reach.
 * fs/buffer.c folio_zero_new_buffers() makes them dirty zeros; up to EOF writeback will then
 * allocate blocks for those zeros. Past EOF fs/ext4/inode.c mpage_process_page_bufs() stops and
 * fs/ext4/page-io.c ext4_bio_write_folio() clears their dirty bit, so they stay reserved without
 * anything left that could use or release the reservation.
 *
 * Traced (6.18.44, the witness): ext4_da_reserve_space 1, ext4_da_write_end copied 0, then for the
 * fsync ext4_writepages pages_written 1 without an ext4_da_write_pages_extent;
 * ext4_da_release_space comes only when the inode goes. The kernel is wrong, not the model.
 *
 * What stays is no mere miscount: a direct read that comes to such a block fails with EIO, and so
 * does every one after it (fs/iomap/direct-io.c iomap_dio_iter() takes a delayed block for a
 * collision with a buffered write). Seen (6.18.44, 4k-delalloc): pwrite(0, 8192) of which 4096
 * bytes are readable, then pread(0, 8192) with O_DIRECT.
 */
export const shortWriteKeepsReservation: Deviation = {
  id: "short-write-keeps-reservation",
  claim:
    "A delayed write that ends short keeps the reservation of blocks it put nothing into, even after fsync.",
  severity: "accounting",
  reason:
    "ext4_da_write_end() does not release what ext4_da_write_begin() reserved past the bytes copied.",
  seenIn: ["6.12 (blocks smaller than a page)", "6.18 (all block sizes: large folios)"],
  visible: "step",
  path: "buffer_head",
  breaks: [
    "released-after-short-write",
    "nothing-delayed-past-eof",
    "nothing-delayed-after-sync",
    "read-returns-what-was-written",
  ],
  takes: "short copy",
  witness: {
    kernel: "6.18",
    variant: "4k-delalloc",
    operations: [{ op: "pwrite", pos: 0, len: 4096, readable: 0 }, { op: "fsync" }],
    // 6.12 does not come to write_begin where not a byte can be read: there it takes blocks smaller
    // than a page, and one that is copied.
    also: [{ op: "pwrite", pos: 0, len: 4096, readable: 512 }, { op: "fsync" }],
  },
  override: () => ({
    releaseShortWrite(inode) {
      inode.deviated.add(shortWriteKeepsReservation.id);
    },
  }),
};
