import { ext4_truncate_failed_write } from "../ext4/inode.ts";
import type { Deviation } from "./deviation.ts";

/**
 * Kernel: fs/ext4/file.c ext4_inode_extension_cleanup() calls ext4_truncate_failed_write() after a
 * direct write that was to move EOF and failed. That cuts the file off at i_size: with the blocks
 * that this write allocated go those that fallocate(2) put past EOF with FALLOC_FL_KEEP_SIZE, which
 * fallocate(2) says later writes cannot fail for want of. It takes no short buffer: a write that is
 * not aligned does it too, though it is refused.
 *
 * Seen (6.18.44 and 7.3.4, the witness, with and without delayed allocation and a journal; not with
 * data=journal, which has no direct I/O; 6.12.117 in a guest). The kernel is wrong.
 */
export const directWriteFreesPreallocation: Deviation = {
  id: "direct-write-frees-preallocation",
  claim: "A direct write past EOF that fails frees the blocks that fallocate(2) had put there.",
  severity: "size or space",
  reason:
    "ext4_inode_extension_cleanup() truncates at i_size, not back to what the file had before the write.",
  seenIn: ["6.12", "6.18", "7.3"],
  visible: "step",
  breaks: ["allocated-stays"],
  witness: {
    kernel: "6.18",
    variant: "4k-delalloc",
    operations: [
      { op: "fallocate", mode: "keep_size", pos: 4096, len: 4096 },
      { op: "direct_write", pos: 0, len: 4096, readable: 0 },
    ],
  },
  override: () => ({
    ext4_inode_extension_cleanup(inode) {
      const eof = Math.ceil(inode.i_size / inode.i_sb.s_blocksize);
      if (inode.pastEof.some(({ end }) => end > eof)) {
        inode.deviated.add(directWriteFreesPreallocation.id);
      }
      ext4_truncate_failed_write(inode);
    },
  }),
};
