import { folio_pos, folio_size } from "../mm/folio.ts";
import type { Inode } from "../include/types.ts";
import type { Deviation } from "./deviation.ts";

/**
 * The blocks of [pos, pos + len) go through the journal again: what it then holds last is what is
 * replayed last.
 */
function journalled(inode: Inode, pos: number, len: number): void {
  const size = inode.i_sb.s_blocksize;
  inode.zeroedOnDisk.delete(Math.floor(pos / size), Math.ceil((pos + len) / size));
}

/**
 * Kernel: fs/ext4/extents.c ext4_ext_convert_to_initialized() zeroes the rest of a small unwritten
 * extent by ext4_ext_zeroout(), which writes to the disk and past the journal. With data=journal an
 * earlier transaction that is still in the log may hold older data of such a block:
 * ext4_truncate_page_cache_block_range() has written it there, so that zero_range may drop the page
 * cache. It is not revoked, since the block was never freed. Replaying the log puts the older data
 * over the zeros, and the last transaction has made the block written.
 *
 * Measured (6.18.44, the witness, the journal listed by debugfs logdump): transaction 2 logs both
 * data blocks, transaction 3 the inode and the first of them; nothing revokes the second. After the
 * replay it reads what was written before zero_range, though fsync had returned. 6.1, 6.12.117 and
 * 7.3 do the same. The kernel is wrong.
 *
 * It takes both blocks in one extent. A writer that comes to another processor between the two has
 * the second from what that one has preallocated (fs/ext4/mballoc.c ext4_locality_group),
 * elsewhere.
 */
export const replayUndoesZeroing: Deviation = {
  id: "replay-undoes-zeroing",
  claim:
    "With data=journal, a block that zero_range zeroed has its old data again after a power cut, though the file was synced.",
  severity: "data",
  reason:
    "Zeroing the rest of an extent writes past the journal, which still holds older data of the block and replays it.",
  seenIn: ["6.1", "6.12", "6.18", "7.3"],
  visible: "power cut",
  path: "buffer_head",
  breaks: [],
  takes: "zero_range",
  witness: {
    kernel: "6.18",
    variant: "4k-data-journal",
    operations: [
      { op: "pwrite", pos: 0, len: 8192, readable: 8192 },
      { op: "fallocate", mode: "zero_range", pos: 0, len: 8192 },
      { op: "pwrite", pos: 0, len: 4096, readable: 4096 },
      { op: "fsync" },
    ],
  },
  override: (base) => ({
    zeroesOnDisk(inode, start, end) {
      base.zeroesOnDisk(inode, start, end);
      if (start >= end) return;
      inode.zeroedOnDisk.set(start, end, true);
      inode.deviated.add(replayUndoesZeroing.id);
    },
    dirty_folio(inode, folio) {
      base.dirty_folio(inode, folio);
      journalled(inode, folio_pos(folio), folio_size(folio));
    },
    write_end(inode, pos, len, copied, folio, source) {
      const accepted = base.write_end(inode, pos, len, copied, folio, source);
      if (accepted > 0) journalled(inode, pos, accepted);
      return accepted;
    },
  }),
};
