import { ENOMEM } from "../include/errno.ts";
import type { Deviation } from "./deviation.ts";

/**
 * Kernel: fs/ext4/inode.c ext4_da_do_write_end(). By the time it starts a handle, the bytes are in
 * the page cache and i_size has moved. It starts one for the new i_disksize, where the write ends
 * in a block that no writeback will allocate, and until 7.1 for zeroing a gap that the write
 * leaves. Without memory for the handle it returns that error, and generic_perform_write() takes it
 * that the folio got nothing. Nor is the inode dirty for its new i_disksize then: an fsync says
 * that all is well, and until something else dirties it the disk has the old size.
 *
 * Seen (7.3.4, 1k-delalloc, found by generation): pwrite of 7168 bytes over a file of 6656 returns
 * 4096, and st_size is 7168; 6.12.117 too (4k-thin: ENOMEM of a write that overwrites a file of 512
 * bytes with 4,096, and they are there; and of one of a block that leaves a gap). The kernel is
 * wrong: write(2) returns what it wrote, so that a program goes on from there.
 */
export const uncountedWriteMovesSize: Deviation = {
  id: "uncounted-write-moves-size",
  claim:
    "A delayed write that lacks memory for a journal handle once it has moved i_size does not count the bytes that it wrote.",
  severity: "size or space",
  reason:
    "ext4_da_do_write_end() returns the error of ext4_journal_start() after it has moved i_size.",
  seenIn: ["6.12", "7.3"],
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
    // Before 6.13 the mtime is the tick's, and new only where that is: of four writes, one needs no
    // handle for it.
    also: [
      { op: "pwrite", pos: 0, len: 512, readable: 512 },
      { op: "fsync" },
      { op: "pwrite", pos: 512, len: 512, readable: 512, fail_nth: 1 },
      { op: "pwrite", pos: 1024, len: 512, readable: 512, fail_nth: 1 },
      { op: "pwrite", pos: 1536, len: 512, readable: 512, fail_nth: 1 },
      { op: "pwrite", pos: 2048, len: 512, readable: 512, fail_nth: 1 },
    ],
  },
  override: () => ({
    countWithoutHandle(inode) {
      inode.deviated.add(uncountedWriteMovesSize.id);
      // What is delayed writeback will tell.
      if (inode.i_disksize === inode.i_size) inode.sizeUntold = true;
      return ENOMEM;
    },
  }),
};
