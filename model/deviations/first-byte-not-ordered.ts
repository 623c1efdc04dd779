import { PAGE_SIZE } from "../include/types.ts";
import type { Inode } from "../include/types.ts";
import type { Deviation } from "./deviation.ts";

/** What is filed of the file ends with its first byte: the next range takes its place. */
function forgetFirstByte(inode: Inode, start: number): void {
  const { jinode } = inode;
  if (jinode?.filed !== true || jinode.i_dirty_end !== 0) return;
  jinode.i_dirty_start = start;
  if (start >= PAGE_SIZE) inode.deviated.add(firstByteNotOrdered.id);
}

/**
 * Kernel: fs/jbd2/transaction.c jbd2_journal_file_inode() keeps the bytes that a transaction has to
 * write back before it commits as i_dirty_start and i_dirty_end, both inclusive, and takes an
 * i_dirty_end of 0 for no range at all. Zeros at byte 0 alone are such a range: what is filed next
 * does not join it but takes its place.
 *
 * Traced (6.18.44, the witness): the commit's pass of ext4_writepages is of bytes 4096 to 4607, and
 * cachestat(2) still counts page 0 as dirty after it. 6.12.117 in user-mode Linux shows it too. 7.3
 * keeps pages, the last one not inclusive, and writes both. The kernel is wrong: the zeros are not
 * on disk with the transaction that was to wait for them.
 */
export const firstByteNotOrdered: Deviation = {
  id: "first-byte-not-ordered",
  claim:
    "Of a file of which the first byte is zeroed, and then more is filed, a commit does not write the first page back.",
  severity: "data",
  reason: "A range of bytes to write before the commit that ends at 0 is taken for none.",
  seenIn: ["6.12", "6.18"],
  path: "buffer_head",
  visible: "page cache",
  breaks: [],
  witness: {
    kernel: "6.18",
    variant: "4k-delalloc",
    operations: [
      { op: "pwrite", pos: 0, len: 4096, readable: 4096 },
      { op: "fsync" },
      { op: "fallocate", mode: "punch_hole", pos: 0, len: 1 },
      { op: "pwrite", pos: 4608, len: 512, readable: 512, sync: "all" },
    ],
  },
  override: (base) => ({
    ext4_jbd2_inode_add_write(inode, start, length) {
      forgetFirstByte(inode, start);
      base.ext4_jbd2_inode_add_write(inode, start, length);
    },
    ext4_jbd2_inode_add_wait(inode, start, length) {
      forgetFirstByte(inode, start);
      base.ext4_jbd2_inode_add_wait(inode, start, length);
    },
  }),
};
