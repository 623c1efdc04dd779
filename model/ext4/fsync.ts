/**
 * fsync(2) and fdatasync(2): which changes of the inode a sync waits for.
 *
 * Kernel:   fs/ext4/fsync.c ext4_sync_file(), ext4_fsync_journal(); fs/ext4/ext4_jbd2.h
 *           ext4_update_inode_fsync_trans(); fs/ext4/inode.c ext4_do_update_inode()
 * Left out: i_sync_tid: an fsync here commits always, one of the kernel only where the running
 *           transaction has something of the inode, and else there is nothing that a commit would
 *           do to it. With a second file the difference shows, and it may hang on whether the clock
 *           ticked and gave the inode another mtime: there the model is told (Oracle.commits);
 *           fast commits; barriers; metadata without a journal
 *
 * Overwriting what is written changes nothing that fdatasync waits for, so it leaves the
 * transaction running, with what it has to write in order and all it would bring to the journal
 * (traced on 6.18: no jbd2_start_commit between ext4_sync_file_enter and _exit).
 */
import { assert } from "../include/assert.ts";
import { file_check_and_advance_wb_err } from "../mm/filemap.ts";
import type { Inode } from "../include/types.ts";
import { jbd2_journal_force_commit_nested } from "./reservation.ts";

/**
 * fs/ext4/ext4_jbd2.h ext4_update_inode_fsync_trans(), with `datasync`: fdatasync waits for the
 * running transaction.
 */
export function ext4_update_inode_fsync_trans(inode: Inode): void {
  inode.i_datasync_tid = inode.i_sb.s_commits;
}

/**
 * fs/ext4/inode.c ext4_mark_inode_dirty(): where the size on disk is another one, fdatasync waits
 * for it.
 */
export function ext4_mark_inode_dirty(inode: Inode): void {
  assert(inode.i_disksize <= inode.i_size, "the size on disk is no larger than the file's");
  if (inode.i_disksize === inode.raw_i_size) return;
  inode.raw_i_size = inode.i_disksize;
  ext4_update_inode_fsync_trans(inode);
}

/** fs/ext4/fsync.c ext4_sync_file(), of bytes [start, end]: 0 or -errno. */
export function ext4_sync_file(
  inode: Inode,
  start: number,
  end: number,
  datasync: boolean,
): number {
  assert(start <= end, "what is synced is not empty");
  const error = inode.i_sb.s_op.writepages(inode, start, end);
  if (error < 0) return error;
  const refused = file_check_and_advance_wb_err(inode);
  if (refused < 0) return refused;
  assert(
    inode.i_datasync_tid <= inode.i_sb.s_commits,
    "no sync waits for a transaction that has not begun",
  );
  const committed = inode.i_datasync_tid < inode.i_sb.s_commits;
  if (inode.oracle?.commits ?? (!datasync || !committed)) jbd2_journal_force_commit_nested(inode);
  // What the commit wrote first, in order, may have been refused.
  return file_check_and_advance_wb_err(inode);
}
