import type { Deviation } from "./deviation.ts";

/**
 * Kernel: fs/ext4/inode.c mpage_map_and_submit_buffers() maps the buffers of what writeback is
 * about to write, and takes from them that they are unwritten. Where the I/O then fails,
 * fs/ext4/page-io.c ext4_end_io_end() leaves the extent unwritten, as it must, but the folio stays
 * in the page cache, clean, with buffers that are mapped and nothing else. What is written there
 * later goes to the disk as if over written blocks: nothing is to be mapped, so nothing is to be
 * converted. The data is in the block, the extent says unwritten, and the file reads as zeros once
 * the folio is gone. fsync(2) reports success.
 *
 * A program that does what it should about an error, free some room and write its data again, so
 * loses it for good.
 *
 * Seen (6.18.44, the witness, then a read after POSIX_FADV_DONTNEED: zeros; the kernel's log has
 * "failed to convert unwritten extents" for the first fsync and nothing for the second; 6.12.117
 * and 7.3.4 in user-mode Linux). The kernel is wrong, not the model. The iomap path looks every
 * block up again when it writes back, and is right.
 */
export const rewriteAfterErrorIsLost: Deviation = {
  id: "rewrite-after-error-is-lost",
  claim:
    "What is written again, and synced, where writeback failed before, is lost: the block stays unwritten.",
  severity: "data",
  reason:
    "Writeback takes BH_Unwritten from the buffers before the I/O, and a failure does not bring it back, so a later writeback converts nothing.",
  seenIn: ["6.12", "6.18", "7.3"],
  path: "buffer_head",
  visible: "step",
  breaks: ["data-has-blocks", "read-returns-what-was-written", "synced-bytes-survive"],
  witness: {
    kernel: "6.18",
    variant: "4k-thin",
    operations: [
      { op: "pwrite", pos: 0, len: 4096, readable: 4096 },
      { op: "fsync", starved: true },
      { op: "pwrite", pos: 0, len: 4096, readable: 4096 },
      { op: "fsync" },
    ],
  },
  override: () => ({
    bufferRefused(inode) {
      inode.deviated.add(rewriteAfterErrorIsLost.id);
    },
  }),
};
