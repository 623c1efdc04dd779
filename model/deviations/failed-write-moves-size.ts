import type { Deviation } from "./deviation.ts";

/**
 * Kernel: fs/ext4/inode.c ext4_da_do_write_end() and ext4_write_end() take pos + copied for the new
 * size also where copied is 0. Since 6.16 mm/filemap.c generic_perform_write() reaches them without
 * having faulted in a single byte; before, only a copy that was rejected whole (a short one into a
 * folio that is not uptodate) did.
 *
 * Traced (6.18.44, the witness): ext4_da_write_end pos 4096 len 4096 copied 0, and st_size is 4096
 * after it, while the call returns EFAULT. The size on disk stays: i_disksize follows only what
 * writeback allocates. The kernel is wrong.
 *
 * Seen on 6.12.117 (4k-nodelalloc, 4k-remounted and 4k-data-journal, the second witness): it goes
 * on with the 512 bytes that were copied, and the truncation between leaves the block before them,
 * for i_size was already behind it.
 */
export const failedWriteMovesSize: Deviation = {
  id: "failed-write-moves-size",
  claim:
    "A write past EOF that fails with EFAULT, and has written nothing, moves i_size to its start.",
  severity: "size or space",
  reason: "write_end() sets i_size to pos + copied without asking whether copied is 0.",
  seenIn: ["6.12 (without delayed allocation)", "6.18"],
  visible: "step",
  path: "buffer_head",
  breaks: ["size-follows-writes", "synced-survives", "synced-bytes-survive"],
  witness: {
    kernel: "6.18",
    variant: "4k-delalloc",
    operations: [{ op: "pwrite", pos: 4096, len: 4096, readable: 0 }],
    // 6.12 asks for a byte, and then takes what could be copied of the rejected write: no more is
    // left of the size than what is not truncated with it (short-write-frees-preallocation).
    also: [
      { op: "fallocate", mode: "keep_size", pos: 0, len: 4096 },
      { op: "pwrite", pos: 4096, len: 4096, readable: 512 },
    ],
  },
  override: () => ({
    sizeAfterWrite(inode, pos, copied) {
      if (copied === 0 && pos > inode.i_size) inode.deviated.add(failedWriteMovesSize.id);
      return Math.max(inode.i_size, pos + copied);
    },
  }),
};
