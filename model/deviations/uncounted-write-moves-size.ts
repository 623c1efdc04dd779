import { ENOMEM } from "../errno.ts";
import type { Deviation } from "./deviation.ts";

/**
 * Kernel: fs/ext4/inode.c ext4_da_do_write_end(). By the time it starts a handle for the new i_disksize, which it does where the write ends
 * in a block that no writeback will allocate, the bytes are in the page cache and i_size has moved. Without memory for the handle it
 * returns that error, and generic_perform_write() takes it that the folio got nothing. Nor is the inode dirty then: an fsync says that
 * all is well, and until something else dirties it the disk has the old size.
 *
 * Seen (7.3.4, 1k-delalloc, found by generation): pwrite of 7168 bytes over a file of 6656 returns 4096, and st_size is 7168. The kernel
 * is wrong: write(2) returns what it wrote, so that a program goes on from there.
 */
export const uncountedWriteMovesSize: Deviation = {
  id: "uncounted-write-moves-size",
  claim:
    "A delayed write that ends in a written block and lacks memory for a journal handle moves i_size, with bytes that it does not count.",
  reason:
    "ext4_da_do_write_end() returns the error of ext4_journal_start() after it has moved i_size.",
  seenIn: ["7.3"],
  visible: "step",
  path: "buffer_head",
  breaks: ["size-follows-writes", "synced-survives", "synced-bytes-survive"],
  witness: {
    kernel: "7.3",
    variant: "4k-delalloc",
    operations: [
      { op: "pwrite", pos: 0, len: 512, readable: 512 },
      { op: "fsync" },
      // The first is for the handle of the new mtime.
      { op: "pwrite", pos: 512, len: 512, readable: 512, fail_nth: 2 },
    ],
  },
  override: () => ({
    countWithoutHandle(inode) {
      inode.deviated.add(uncountedWriteMovesSize.id);
      inode.sizeUntold = true;
      return ENOMEM;
    },
  }),
};
