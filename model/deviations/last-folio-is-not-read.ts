import { IFS_UPTODATE } from "../include/types.ts";
import { i_blocks_per_folio } from "../iomap/folio-state.ts";
import { folio_next_pos, folio_pos } from "../mm/folio.ts";
import type { Deviation } from "./deviation.ts";

/**
 * Kernel: fs/ext4/inode.c ext4_iomap_map_blocks() of the series refuses, with EINVAL, an offset
 * behind the block with the largest number. fs/iomap/buffered-io.c iomap_read_folio() asks for the
 * whole folio, whatever is read of it. Where blocks are smaller than a page, the last page of the
 * largest file has a block that no file can have, and cannot be read as a whole.
 *
 * What comes before that block is read by then, and uptodate: a second read of it succeeds, and so
 * does one of a page that was missing, since read-ahead tells nobody of the error. A page fault
 * takes the whole page, and always fails.
 *
 * Seen (7.3.4 with the series of October 2026, 1k-delalloc-iomap): after a write of block
 * 4294967293, a read of the block before it fails with EIO, and a store through a mapping is
 * SIGBUS. Version 2 of the series has the block read as a hole. The kernel is wrong, not the model.
 */
export const lastFolioIsNotRead: Deviation = {
  id: "last-folio-is-not-read",
  claim:
    "With blocks smaller than a page a read beside the block with the largest number fails with EIO, and a store through a mapping dies of SIGBUS.",
  severity: "size or space",
  reason:
    "ext4_iomap_map_blocks() refuses the block behind it, which iomap_read_folio() asks for too.",
  seenIn: ["series 7.4-dev on 7.3.4"],
  path: "iomap",
  visible: "step",
  breaks: ["read-returns-what-was-written", "calls-succeed", "write-returns-what-it-copied"],
  witness: {
    kernel: "series 7.4-dev",
    variant: "1k-delalloc",
    operations: [
      { op: "pwrite", pos: 4398046508032, len: 1024, readable: 1024 },
      { op: "pread", pos: 4398046507008, len: 1024 },
    ],
  },
  override: (base) => ({
    read_folio(inode, folio) {
      base.read_folio(inode, folio);
      const { s_maxbytes, s_blocksize } = inode.i_sb;
      if (folio_next_pos(folio) <= s_maxbytes || folio.ifs === undefined) return;
      inode.deviated.add(lastFolioIsNotRead.id);
      folio.uptodate = false;
      const first = (s_maxbytes - folio_pos(folio)) / s_blocksize;
      for (let b = first; b < i_blocks_per_folio(inode, folio); b++) {
        folio.ifs[b]! &= ~IFS_UPTODATE;
      }
    },
  }),
};
