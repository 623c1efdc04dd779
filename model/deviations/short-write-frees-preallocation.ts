import { ext4_truncate_failed_write } from "../ext4/inode.ts";
import type { Deviation } from "./deviation.ts";

/**
 * Kernel: fs/ext4/inode.c ext4_write_end() and ext4_journalled_write_end() call
 * ext4_truncate_failed_write() after a copy that ended short past EOF. That cuts the file off at
 * i_size: with the blocks that this write allocated go those that fallocate(2) put past EOF with
 * FALLOC_FL_KEEP_SIZE, which fallocate(2) says later writes cannot fail for want of. Writes with
 * delayed allocation do not, nor does the iomap path, which leaves unwritten blocks where they are.
 *
 * Seen (6.18.44, the witness, and in the recordings of 6.18 without delayed allocation; 6.12.117,
 * the second witness); the code is the same in 7.3. The kernel is wrong.
 *
 * It takes no fault to lose them. Since 6.16 mm/filemap.c generic_perform_write() tries the copy
 * before it faults the user's pages in, so a first write from a buffer that is not mapped yet
 * always has a short copy. Measured (6.18.44, nodelalloc): after FALLOC_FL_KEEP_SIZE of 1 MiB,
 * pwrite of 8 KiB from a freshly mapped file returns 8192 and leaves 16 of the 2,048 sectors. The
 * harness writes from buffers that are mapped, so only its short writes show this.
 *
 * Nor does it take a short copy: fs/ext4/inode.c ext4_write_begin() does the same where there is no
 * space, before it commits and tries again. Traced (6.18.44, 4k-full): a write of 46 blocks, with
 * one preallocated behind it and too few free before a commit: ext4_write_begin,
 * ext4_truncate_enter, ext4_free_blocks of the one, jbd2_start_commit, ext4_write_begin; it
 * returned all that was asked for.
 */
export const shortWriteFreesPreallocation: Deviation = {
  id: "short-write-frees-preallocation",
  claim:
    "Without delayed allocation a write that ends short past EOF frees the blocks that fallocate(2) had put there.",
  severity: "size or space",
  reason:
    "ext4_truncate_failed_write() truncates at i_size, not back to what the file had before the write.",
  seenIn: ["6.12", "6.18"],
  path: "buffer_head",
  visible: "step",
  breaks: ["allocated-stays"],
  witness: {
    kernel: "6.18",
    variant: "4k-nodelalloc",
    operations: [
      { op: "fallocate", mode: "keep_size", pos: 4096, len: 4096 },
      { op: "pwrite", pos: 0, len: 4096, readable: 0 },
    ],
    // 6.12 does not come to write_begin where not a byte can be read: there it takes one that is
    // copied.
    also: [
      { op: "fallocate", mode: "keep_size", pos: 4096, len: 4096 },
      { op: "pwrite", pos: 0, len: 4096, readable: 512 },
    ],
  },
  override: () => ({
    ext4_truncate_failed_write(inode) {
      const eof = Math.ceil(inode.i_size / inode.i_sb.s_blocksize);
      if (inode.pastEof.some(({ end }) => end > eof)) {
        inode.deviated.add(shortWriteFreesPreallocation.id);
      }
      ext4_truncate_failed_write(inode);
    },
  }),
};
