/**
 * Space reservation for delayed allocation.
 *
 * Kernel:   fs/ext4/inode.c ext4_da_reserve_space(), ext4_da_release_space(),
 *           ext4_da_update_reserve_space(); fs/ext4/balloc.c ext4_has_free_clusters(),
 *           ext4_claim_free_clusters()
 * Left out: quota; bigalloc (a cluster is a block here); root's reserve (the tests run as root);
 *           where exactly space runs out, which depends on s_resv_clusters, on per-CPU counters and
 *           on the allocator (`beyondModel` says that it may have)
 *
 * A delayed write that returned has been promised a block nobody has chosen yet, so ENOSPC must
 * surface here: at writeback there is no caller left to tell.
 */
import { assert } from "../include/assert.ts";
import { ENOSPC } from "../include/errno.ts";
import type { Inode, SuperBlock } from "../include/types.ts";

/**
 * fs/ext4/balloc.c ext4_has_free_clusters(): whether `nclusters` are free and not promised. Where
 * there are hardly more, it depends on what the model leaves out.
 */
export function ext4_has_free_clusters(sbi: SuperBlock, nclusters: number): boolean {
  const { s_reserve } = sbi;
  const left = sbi.s_freeclusters_counter - sbi.s_dirtyclusters_counter - nclusters;
  if (s_reserve !== undefined && left < s_reserve.reserved + 2 * s_reserve.error)
    sbi.beyondModel = true;
  return left >= 0;
}

/**
 * fs/ext4/balloc.c ext4_claim_free_clusters(): promise `nclusters`, if there are that many
 * unpromised.
 */
export function ext4_claim_free_clusters(sbi: SuperBlock, nclusters: number): boolean {
  if (!ext4_has_free_clusters(sbi, nclusters)) return false;
  sbi.s_dirtyclusters_counter += nclusters;
  return true;
}

const COUNTED = "what a file reserves is counted for its file system too";

/** Of several files, more may be: so this is one comparison, whatever their number. */
function countsReservation({ i_reserved_data_blocks, i_sb }: Inode): boolean {
  return i_reserved_data_blocks <= i_sb.s_dirtyclusters_counter;
}

/** fs/ext4/inode.c ext4_da_reserve_space(): 0, or -ENOSPC and nothing changed. */
export function ext4_da_reserve_space(inode: Inode, nr_resv: number): number {
  assert(nr_resv > 0, "a reservation is never empty");
  if (!inode.i_sb.s_op.ext4_claim_free_clusters(inode.i_sb, nr_resv)) return ENOSPC;
  inode.i_reserved_data_blocks += nr_resv;
  assert(countsReservation(inode), COUNTED);
  return 0;
}

/** fs/ext4/inode.c ext4_da_release_space(): the promise is not needed any more. */
export function ext4_da_release_space(inode: Inode, to_free: number): void {
  if (to_free === 0) return;
  assert(to_free > 0, "what is released is not less than nothing");
  assert(to_free <= inode.i_reserved_data_blocks, "no more is released than was reserved");
  inode.i_reserved_data_blocks -= to_free;
  inode.i_sb.s_dirtyclusters_counter -= to_free;
  assert(countsReservation(inode), COUNTED);
}

/**
 * fs/ext4/inode.c ext4_da_update_reserve_space(): the promise was kept, blocks were allocated for
 * it.
 */
export function ext4_da_update_reserve_space(inode: Inode, used: number): void {
  assert(used > 0, "what is used of a reservation is not nothing");
  assert(used <= inode.i_reserved_data_blocks, "no more is used than was reserved");
  inode.i_reserved_data_blocks -= used;
  inode.i_sb.s_dirtyclusters_counter -= used;
  assert(countsReservation(inode), COUNTED);
}

/**
 * Tries that an allocation makes besides the first (fs/ext4/balloc.c ext4_should_retry_alloc()).
 */
const MAX_RETRIES = 3;

/**
 * fs/ext4/balloc.c ext4_should_retry_alloc(): blocks that the running transaction has freed can be
 * had once it has committed, so it is committed. Whether the `retries`-th try is worth it.
 */
export function ext4_should_retry_alloc(inode: Inode, retries: number): boolean {
  const { i_sb } = inode;
  if (!i_sb.s_journal || retries > MAX_RETRIES) return false;
  if (i_sb.s_mb_free_pending === 0) return ext4_has_free_clusters(i_sb, 1);
  jbd2_journal_force_commit_nested(inode);
  return true;
}

/**
 * fs/jbd2/journal.c jbd2_journal_force_commit_nested(): what the running transaction freed can be
 * allocated again.
 */
export function jbd2_journal_force_commit_nested(inode: Inode): void {
  const { i_sb } = inode;
  for (const each of i_sb.s_inodes) i_sb.s_op.jbd2_journal_commit_transaction(each);
  for (const each of i_sb.s_inodes) {
    assert(each.jinode?.filed !== true, "a commit leaves nothing filed");
    i_sb.s_op.recordCommit(each);
  }
  i_sb.s_mb_free_pending = 0;
  i_sb.s_freedUnknown = false;
  i_sb.s_commits += 1;
}
