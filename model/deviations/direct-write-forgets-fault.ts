import type { Deviation } from "./deviation.ts";

/**
 * Kernel: fs/iomap/direct-io.c iomap_dio_bio_iter() stops where the user's memory cannot be read,
 * and then zeroes the rest of a block that was new, unwritten or past EOF. What iomap_dio_zero()
 * returns, 0, takes the place of the error. So nothing failed: the I/O is completed with the bytes
 * that went out, maybe none. fs/ext4/file.c ext4_dio_write_end_io() moves EOF to where the write
 * began, or got to, past EOF; ext4_inode_extension_cleanup() frees nothing. Then the rest is tried
 * through the page cache, fails, and the write returns -EFAULT, though it has moved the size of the
 * file and left blocks and maybe data there.
 *
 * It takes a write that ends short within a block: one that is aligned to sectors only. Before it
 * gives up it has also zeroed the block that it got to up to there, so what it had just put there
 * is zeros (2k-delalloc, 6.18.44).
 *
 * What the harness does not ask for, since it depends on where blocks are
 * (harness/operations/operation.ts), was seen to be worse (6.18.44). With more than a block past
 * EOF the rest of the blocks stays there, written: 1k-delalloc, direct_write(512, 1024) with no
 * byte readable, fsync, power cut, and e2fsck says "i_size is 512, should be 2048". Before EOF only
 * part of an extent is converted, and the kernel warns: 4k-nodelalloc, ftruncate(8192),
 * direct_write(512, 8192) with 4096 bytes readable, "ext4_convert_unwritten_extents_endio: Inode 12
 * finished: extent logical block 1, len 2; IO logical block 1, len 1".
 *
 * Seen (6.18.44, and 6.12.117 in a guest, the witness). 7.3 does not show it (7.3.4, user-mode
 * Linux): its iomap_dio_zero() returns nothing. The kernel is wrong: POSIX write() that fails
 * changes nothing.
 */
export const directWriteForgetsFault: Deviation = {
  id: "direct-write-forgets-fault",
  claim:
    "A direct write that fails with EFAULT within a block past EOF moves i_size, and leaves the block there.",
  severity: "size or space",
  reason:
    "iomap_dio_bio_iter() zeroes the rest of the block after the error and returns that zeroing it went well.",
  seenIn: ["6.12", "6.18"],
  visible: "step",
  breaks: ["size-follows-writes"],
  witness: {
    kernel: "6.18",
    variant: "4k-delalloc",
    operations: [{ op: "direct_write", pos: 512, len: 512, readable: 0 }],
  },
  override: () => ({
    errorAfterZeroing(inode) {
      inode.deviated.add(directWriteForgetsFault.id);
      return 0;
    },
  }),
};
