import { EIO } from "../include/errno.ts";
import type { Deviation } from "./deviation.ts";

/**
 * Kernel: fs/ext4/page-io.c ext4_end_io_end() converts what an I/O was for whether it failed or
 * not: the error is in the mapping, where nobody looks who converts. "ext4: do not convert the
 * unwritten extents if data writeback fails" (Baokun Li, December 2024) ended that.
 *
 * Once the folio is gone the file shows what its blocks held before, of whatever file: what
 * unwritten blocks are there to prevent.
 *
 * Seen (6.1.176, user-mode Linux, the witness: fsync returns EIO, and the block is written).
 * 6.18.44 and 7.3.4 leave it unwritten. The kernel was wrong. What is read once the folio is gone
 * is not followed.
 */
export const refusedDataConverted: Deviation = {
  id: "refused-data-converted",
  claim:
    "A block whose data the device refused is written all the same, and shows what lay there before once it has left memory.",
  severity: "data",
  reason: "The end of an I/O converts the blocks that it was for, whether it failed or not.",
  seenIn: ["6.1"],
  path: "buffer_head",
  breaks: [],
  witness: {
    kernel: "6.12",
    variant: "4k-thin",
    operations: [
      { op: "pwrite", pos: 0, len: 4096, readable: 4096 },
      { op: "fsync", starved: true },
    ],
  },
  visible: "step",
  override: (base) => ({
    mpage_map_one_extent(inode, map) {
      const { refuses } = inode;
      inode.refuses = undefined;
      const error = base.mpage_map_one_extent(inode, map);
      inode.refuses = refuses;
      if (refuses?.again(map.m_lblk) === true) {
        inode.wb_err = EIO;
        inode.deviated.add(refusedDataConverted.id);
      }
      return error;
    },
  }),
};
