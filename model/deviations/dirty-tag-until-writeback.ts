import { folio_next_index, pageOf } from "../mm/folio.ts";
import type { Inode } from "../include/types.ts";
import type { Deviation } from "./deviation.ts";

/** What mpage_prepare_extent_to_map() does to clean folios that have a byte in [start, end]. */
function cycle(inode: Inode, start: number, end: number): void {
  for (const folio of inode.i_mapping) {
    const isIn = folio.index <= pageOf(end) && folio_next_index(folio) > pageOf(start);
    if (isIn && !folio.dirty) folio.tagged = false;
  }
}

/**
 * Kernel: as dirty-tag-outlives-dirt, but since 7.0 fs/ext4/inode.c mpage_prepare_extent_to_map()
 * takes a tagged folio that is clean through the writeback state, which clears the tag. So no
 * unmount warns; until something writes the range back, a commit too, cachestat(2) counts the page
 * as dirty.
 *
 * Seen (7.3.4 with large folios): one page is dirty after the witness, and none after an fsync. The
 * kernel is wrong, about the count only.
 */
export const dirtyTagUntilWriteback: Deviation = {
  id: "dirty-tag-until-writeback",
  claim:
    "After a truncation or punch inside a large folio a page counts as dirty that is not, until it is written back.",
  severity: "page cache",
  reason:
    "A folio that became clean by losing its dirty buffers stays tagged dirty in the page cache.",
  seenIn: ["7.3"],
  visible: "page cache",
  path: "buffer_head",
  breaks: [],
  witness: {
    kernel: "7.3",
    variant: "4k-delalloc",
    operations: [
      { op: "pwrite", pos: 0, len: 8192, readable: 8192 },
      { op: "fsync" },
      { op: "pwrite", pos: 4096, len: 4096, readable: 4096 },
      { op: "ftruncate", size: 4096 },
    ],
  },
  override: (base) => ({
    folio_cancel_dirty(inode, folio) {
      folio.dirty = false;
      inode.deviated.add(dirtyTagUntilWriteback.id);
    },
    writepages(inode, start, end) {
      const error = base.writepages(inode, start, end);
      cycle(inode, start, end);
      return error;
    },
    jbd2_journal_commit_transaction(inode) {
      const { jinode } = inode;
      const submits = jinode?.filed === true && jinode.write;
      base.jbd2_journal_commit_transaction(inode);
      if (submits) cycle(inode, jinode.i_dirty_start, jinode.i_dirty_end);
    },
  }),
};
