import type { Deviation } from "./deviation.ts";

/**
 * Kernel: fs/iomap/direct-io.c iomap_dio_bio_iter() stops where the user's memory cannot be read, and then zeroes the rest of a
 * block that was new, unwritten or past EOF. What iomap_dio_zero() returns, 0, takes the place of the error. So nothing failed: the I/O
 * is completed with the bytes that went out, maybe none. fs/ext4/file.c ext4_dio_write_end_io() moves EOF to where the write
 * began, or got to, past EOF; ext4_inode_extension_cleanup() frees nothing. Then the rest is tried through the page cache, fails, and
 * the write returns -EFAULT, though it has moved the size of the file and left blocks and maybe data there.
 *
 * It takes a write that ends short within a block: one that is aligned to sectors only.
 *
 * Seen (6.18.44, the witness); the code is the same in 6.12, and not in 7.3, where iomap_dio_zero() returns nothing. The kernel is
 * wrong: POSIX write() that fails changes nothing.
 */
export const directWriteForgetsFault: Deviation = {
  id: "direct-write-forgets-fault",
  claim:
    "A direct write that fails with EFAULT within a block past EOF moves i_size, and leaves the block there.",
  reason:
    "iomap_dio_bio_iter() zeroes the rest of the block after the error and returns that zeroing it went well.",
  seenIn: ["6.18"],
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
