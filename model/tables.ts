/**
 * The one place that turns a configuration into a table of functions, as ext4_set_aops() does.
 */
import * as fallocate from "./ext4/fallocate.ts";
import { ext4_ext_remove_space } from "./ext4/extents.ts";
import * as status from "./ext4/extents_status.ts";
import { ext4_inode_extension_cleanup, generic_write_checks } from "./ext4/file.ts";
import * as blocks from "./ext4/get_block.ts";
import * as inodes from "./ext4/inode.ts";
import * as iomap from "./ext4/iomap.ts";
import { ext4_iomap_finish_ioend, ext4_iomap_map_blocks_of_bytes } from "./ext4/iomap-writeback.ts";
import * as journal from "./ext4/ordered.ts";
import { ext4_nonda_switch } from "./ext4/nonda.ts";
import * as reservation from "./ext4/reservation.ts";
import * as truncate from "./ext4/truncate.ts";
import * as writeback from "./ext4/writeback.ts";
import * as buffer from "./fs/buffer.ts";
import { generic_copy_file_checks } from "./fs/read_write.ts";
import { __iomap_write_begin, __iomap_write_end } from "./iomap/buffered-io.ts";
import { bdev_iter_is_aligned, errorAfterZeroing } from "./iomap/direct-io.ts";
import { iomap_last_written_block, iomap_write_delalloc_release } from "./iomap/delalloc.ts";
import * as folioState from "./iomap/folio-state.ts";
import { iomap_writepages } from "./iomap/writeback.ts";
import { mmapReadAhead } from "./mm/readahead.ts";
import { iomap_zero_range_flush } from "./iomap/zero.ts";
import { folio_cancel_dirty } from "./mm/folio.ts";
import { generic_perform_write_prefault } from "./mm/filemap.ts";
import { truncate_inode_pages_range } from "./mm/truncate.ts";
import type { Operations } from "./include/operations.ts";
import { changesOf } from "./kernels/changes.ts";
import type { KernelFacts } from "./kernels/kernels.ts";
import { recordCommit, writesToDisk, zeroesOnDisk } from "./ext4/power-cut.ts";
import type { Folio, Inode, Reserve } from "./include/types.ts";

/** What chooses the table: the mount, and what the kernel does. */
export interface ModelConfig extends KernelFacts {
  blockSize: number;
  delalloc: boolean;
  /**
   * The files are older than the mount's delalloc: their inodes have the address_space_operations
   * of nodelalloc, and the rest of ext4 goes by the mount. Absent where they are not.
   */
  remounted?: true;
  /** data=ordered, data=journal, or a file system without a journal. */
  journal: "ordered" | "journal" | "none";
  dioread: "nolock" | "lock";
  /** Free blocks of the empty file system. */
  freeBlocks: number;
  /**
   * How exactly that is known, and what of it cannot be had; absent where all of it can, and writes
   * are delayed up to the last of them.
   */
  reserve?: Reserve;
}

/** A deviation's replacement for entries of the table, given the table it replaces them in. */
export type Override = (base: Operations) => Partial<Operations>;

const nothing = (): void => {};

/**
 * fs/ext4/file.c ext4_should_use_dio(), and with data=journal, which wants to see all data
 * (fs/ext4/inode.c ext4_dio_alignment()).
 */
const directIo = { always: () => true, never: () => false };

const common = {
  ext4_should_use_dio: directIo.always,
  ext4_inode_extension_cleanup,
  errorAfterZeroing,
  zeroesOnDisk,
  writesToDisk,
  ext4_should_enable_large_folio: () => false,
  ext4_write_checks: generic_write_checks,
  perform_write: generic_perform_write_prefault,
  gapToZero: truncate.gapToZero,
  ext4_alloc_file_blocks: fallocate.ext4_alloc_file_blocks_zero_after,
  ext4_zero_range: fallocate.ext4_zero_range_edges_last,
  ext4_punch_hole: fallocate.ext4_punch_hole_page,
  forgetZeroed: fallocate.forgetZeroed,
  releaseDropped: fallocate.releaseDropped,
  ext4_setattr: truncate.ext4_setattr,
  ext4_truncate: truncate.ext4_truncate,
  bdev_iter_is_aligned,
  generic_copy_file_checks,
  mmapReadAhead: mmapReadAhead("folio"),
  writepages: writeback.ext4_writepages,
  ext4_jbd2_inode_add_write: nothing,
  ext4_jbd2_inode_add_wait: nothing,
  jbd2_journal_commit_transaction: nothing,
  recordCommit,
  mpage_map_one_extent: writeback.mpage_map_one_extent_nolock,
  bufferRefused: writeback.bufferRefused,
  releaseShortWrite: inodes.releaseShortWrite,
  sizeAfterWrite: inodes.sizeAfterWrite,
  countWithoutHandle: inodes.countWithoutHandle,
  ext4_da_map_blocks: blocks.ext4_da_map_blocks,
  ext4_claim_free_clusters: reservation.ext4_claim_free_clusters,
  ext4_da_reserve_space: reservation.ext4_da_reserve_space,
  ext4_da_release_space: reservation.ext4_da_release_space,
  ext4_da_update_reserve_space: reservation.ext4_da_update_reserve_space,
  ext4_es_insert_extent: status.ext4_es_insert_extent,
  ext4_es_insert_delayed_extent: status.ext4_es_insert_delayed_extent,
  ext4_es_remove_extent: status.ext4_es_remove_extent,
  ext4_ext_remove_space,
  ext4_truncate_failed_write: inodes.truncateFailedWrite,
  ext4_block_zero_range: truncate.ext4_block_zero_range_ordered,
  ext4_block_zero_eof: truncate.zeroTail,
  ext4_update_disksize_before_punch: fallocate.ext4_update_disksize_before_punch,
  folio_cancel_dirty,
  truncate_inode_pages_range,
  blocksOfHole: fallocate.blocksOfHole,
  ext4_nonda_switch,
  ext4_should_retry_alloc: reservation.ext4_should_retry_alloc,
  ext4_iomap_get_blocks: iomap.ext4_iomap_get_blocks,
  ext4_set_iomap: iomap.ext4_set_iomap,
  iomap_valid: iomap.ext4_iomap_valid,
  __iomap_write_begin,
  __iomap_write_end,
  iomap_zero_range: iomap_zero_range_flush,
  ext4_iomap_buffered_da_write_end: iomap.ext4_iomap_buffered_da_write_end,
  iomap_last_written_block,
  iomap_write_delalloc_release,
  ext4_iomap_punch_delalloc: iomap.ext4_iomap_punch_delalloc,
  map_blocks: ext4_iomap_map_blocks_of_bytes,
  finish_ioend: ext4_iomap_finish_ioend,
};

/** What the address_space_operations of the buffer_head path share. */
const buffer_head = {
  read_folio: (inode: Inode, folio: Folio) => {
    buffer.block_read_full_folio(inode, folio, blocks.ext4_get_block_lookup);
  },
  is_partially_uptodate: buffer.block_is_partially_uptodate,
  dirty_folio: buffer.block_dirty_folio,
  invalidate_folio: buffer.block_invalidate_folio,
  release_folio: buffer.try_to_free_buffers,
};

/** fs/ext4/inode.c ext4_da_aops */
const ext4_da_aops = {
  ...buffer_head,
  write_begin: inodes.ext4_da_write_begin,
  write_end: inodes.ext4_da_write_end,
  page_mkwrite: inodes.ext4_da_page_mkwrite,
  get_block: blocks.ext4_da_get_block_prep,
  get_block_now: blocks.ext4_get_block_unwritten,
};

/** fs/ext4/inode.c ext4_aops */
const ext4_aops = {
  ...buffer_head,
  write_begin: inodes.ext4_write_begin,
  write_end: inodes.ext4_write_end,
  page_mkwrite: inodes.ext4_page_mkwrite,
  get_block: blocks.ext4_get_block,
  get_block_now: blocks.ext4_get_block,
};

/**
 * fs/ext4/inode.c ext4_aops after a remount with delalloc: write_begin asks for unwritten blocks
 * now (ext4_should_dioread_nolock()), and page faults delay theirs (ext4_page_mkwrite()).
 */
const ext4_aops_remounted = {
  ...ext4_aops,
  page_mkwrite: inodes.ext4_da_page_mkwrite,
  get_block: blocks.ext4_get_block_unwritten,
  get_block_now: blocks.ext4_get_block_unwritten,
};

/** fs/ext4/inode.c ext4_journalled_aops */
const ext4_journalled_aops = {
  ...ext4_aops,
  write_end: inodes.ext4_journalled_write_end,
  writepages: writeback.ext4_journalled_writepages,
  ext4_should_use_dio: directIo.never,
};

/** fs/ext4/inode.c ext4_iomap_aops, as a nodelalloc mount of the patch series uses it. */
const ext4_iomap_aops = {
  ...ext4_aops,
  perform_write: iomap.ext4_iomap_buffered_write,
  page_mkwrite: iomap.ext4_iomap_page_mkwrite,
  writepages: iomap_writepages,
  read_folio: iomap.ext4_iomap_read_folio,
  is_partially_uptodate: folioState.iomap_is_partially_uptodate,
  dirty_folio: folioState.iomap_dirty_folio,
  invalidate_folio: folioState.iomap_invalidate_whole_folio,
  release_folio: folioState.iomap_release_folio,
  ext4_alloc_file_blocks: fallocate.ext4_alloc_file_blocks_no_zero,
  ext4_setattr: truncate.ext4_setattr_no_zero,
  ext4_truncate: truncate.ext4_truncate_write_tail,
  ext4_block_zero_range: iomap.ext4_iomap_zero_range,
};

/** The same on a delalloc mount. */
const ext4_iomap_da_aops = {
  ...ext4_iomap_aops,
  perform_write: iomap.ext4_iomap_buffered_da_write,
  page_mkwrite: iomap.ext4_iomap_da_page_mkwrite,
};

/** What data=ordered adds. */
const ordered = {
  ext4_jbd2_inode_add_write: journal.ext4_jbd2_inode_add_write,
  ext4_jbd2_inode_add_wait: journal.ext4_jbd2_inode_add_wait,
  jbd2_journal_commit_transaction: journal.jbd2_journal_commit_transaction,
};

/** What dioread_lock changes: new blocks are written ones at once. */
const writtenAtOnce = {
  mpage_map_one_extent: writeback.mpage_map_one_extent_lock,
  get_block_now: blocks.ext4_get_block,
};

/** What a path must say for itself; everything else has an entry in `common`. */
type PathTable = Partial<Operations> & typeof ext4_aops;

/** fs/ext4/inode.c ext4_set_aops() */
function ext4_set_aops({ path, journal, delalloc, remounted, dioread }: ModelConfig): PathTable {
  if (path === "iomap") return delalloc ? ext4_iomap_da_aops : ext4_iomap_aops;
  const older = remounted === true ? ext4_aops_remounted : ext4_da_aops;
  const aops = delalloc ? older : ext4_aops;
  return {
    ...(journal === "journal" ? ext4_journalled_aops : aops),
    ...(journal === "ordered" && ordered),
    ...(dioread === "lock" && writtenAtOnce),
  };
}

/** The table for a configuration, with the entries that `overrides` replace, applied in order. */
export function operationsFor(
  config: ModelConfig,
  overrides: readonly Override[] = [],
): Operations {
  const { changes, path } = config;
  let table: Operations = { ...common, ...ext4_set_aops(config) };
  for (const { replaces } of changesOf(changes, path)) Object.assign(table, replaces);
  for (const override of overrides) table = { ...table, ...override(table) };
  return table;
}
