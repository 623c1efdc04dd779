/**
 * data=ordered: what the journal writes back before it commits.
 *
 * Kernel:   fs/ext4/ext4_jbd2.h ext4_jbd2_inode_add_write(), ext4_jbd2_inode_add_wait();
 *           fs/jbd2/transaction.c jbd2_journal_file_inode(); fs/jbd2/commit.c
 *           journal_submit_data_buffers(), journal_finish_inode_data_buffers(); fs/ext4/inode.c
 *           ext4_normal_submit_inode_data_buffers()
 * Left out: commits that nobody asked for. The images are mounted with a commit interval of a day,
 *           so that only fsync commits; a journal that runs full still could
 *
 * The pass that a commit makes allocates nothing, and so does not stop at EOF as ordinary writeback
 * does: of a folio past EOF it clears the dirty buffers.
 */
import { assert } from "../include/assert.ts";
import { dirtyFolios } from "../mm/folio.ts";
import type { Inode } from "../include/types.ts";
import { submitFolio } from "./writeback.ts";

/**
 * fs/jbd2/transaction.c jbd2_journal_file_inode(): ranges of one transaction grow together, flags
 * those of all.
 */
function jbd2_journal_file_inode(
  inode: Inode,
  start: number,
  length: number,
  write: boolean,
): void {
  assert(start >= 0 && length > 0, "what is ordered is not empty");
  const end = start + length - 1;
  const { jinode } = inode;
  if (jinode?.filed !== true) {
    const writes = write || jinode?.write === true;
    inode.jinode = { filed: true, write: writes, i_dirty_start: start, i_dirty_end: end };
    return;
  }
  jinode.write ||= write;
  jinode.i_dirty_start = Math.min(jinode.i_dirty_start, start);
  jinode.i_dirty_end = Math.max(jinode.i_dirty_end, end);
  assert(jinode.i_dirty_start <= start, "what is ordered begins no later than what was added");
}

/** fs/ext4/ext4_jbd2.h ext4_jbd2_inode_add_write() */
export function ext4_jbd2_inode_add_write(inode: Inode, start_byte: number, length: number): void {
  jbd2_journal_file_inode(inode, start_byte, length, true);
}

/** fs/ext4/ext4_jbd2.h ext4_jbd2_inode_add_wait() */
export function ext4_jbd2_inode_add_wait(inode: Inode, start_byte: number, length: number): void {
  jbd2_journal_file_inode(inode, start_byte, length, false);
}

/**
 * fs/jbd2/commit.c jbd2_journal_commit_transaction(), as far as it touches the data of the inode.
 */
export function jbd2_journal_commit_transaction(inode: Inode): void {
  const { jinode } = inode;
  if (jinode?.filed !== true) return;
  assert(jinode.i_dirty_start <= jinode.i_dirty_end, "what a commit writes first is not empty");
  jinode.filed = false;
  if (!jinode.write) return;
  for (const folio of dirtyFolios(inode, jinode.i_dirty_start, jinode.i_dirty_end)) {
    submitFolio(inode, folio);
  }
}
