/**
 * The one place that turns a configuration into a table of functions, as ext4_set_aops() does.
 */
import { ext4_update_disksize_before_punch } from "./ext4/fallocate.ts";
import { ext4_ext_remove_space } from "./ext4/extents.ts";
import {
  ext4_es_insert_delayed_extent,
  ext4_es_insert_extent,
  ext4_es_remove_extent,
} from "./ext4/extents_status.ts";
import { ext4_da_get_block_prep, ext4_da_map_blocks, ext4_get_block } from "./ext4/get_block.ts";
import {
  ext4_da_page_mkwrite,
  ext4_da_write_begin,
  ext4_da_write_end,
  ext4_page_mkwrite,
  ext4_truncate_failed_write,
  ext4_write_begin,
  ext4_write_end,
  releaseShortWrite,
  sizeAfterWrite,
} from "./ext4/inode.ts";
import {
  ext4_jbd2_inode_add_wait,
  ext4_jbd2_inode_add_write,
  jbd2_journal_commit_transaction,
} from "./ext4/ordered.ts";
import {
  ext4_claim_free_clusters,
  ext4_da_release_space,
  ext4_da_reserve_space,
  ext4_da_update_reserve_space,
} from "./ext4/reservation.ts";
import { ext4_block_zero_range, zeroAfterExtending, zeroBeforeExtending } from "./ext4/truncate.ts";
import {
  ext4_journalled_writepages,
  ext4_writepages,
  mpage_map_one_extent_lock,
  mpage_map_one_extent_nolock,
} from "./ext4/writeback.ts";
import { folio_cancel_dirty } from "./fs/buffer.ts";
import {
  generic_perform_write,
  generic_perform_write_prefault,
  mmapReadAround,
} from "./mm/filemap.ts";
import { truncate_inode_pages_range } from "./mm/truncate.ts";
import type { Operations } from "./operations.ts";

/** What chooses the table: the mount, and two facts about the kernel that its behaviour shows. */
export interface ModelConfig {
  /** Which code buffered I/O goes through: every released kernel has the one, the patch series adds the other. */
  path: "buffer_head" | "iomap";
  blockSize: number;
  delalloc: boolean;
  /** data=ordered, data=journal, or a file system without a journal. */
  journal: "ordered" | "journal" | "none";
  dioread: "nolock" | "lock";
  /** The page cache of a regular file has folios of more than one page (6.16). */
  largeFolios: boolean;
  /** User pages are faulted in before write_begin (until 6.15). */
  prefaultFirst: boolean;
  /** When a write that leaves a gap after EOF zeroes the rest of the block that holds EOF. */
  zeroesGap: "before" | "after";
  /** Pages that a fault brings in around the one it needs (read_ahead_kb); absent where read-ahead is off. */
  mmapReadAround?: number;
  /** Free blocks of the empty file system. */
  freeBlocks: number;
}

/** A deviation's replacement for entries of the table, given the table it replaces them in. */
export type Override = (base: Operations) => Partial<Operations>;

const nothing = (): void => {};

const common = {
  writepages: ext4_writepages,
  ext4_jbd2_inode_add_write: nothing,
  ext4_jbd2_inode_add_wait: nothing,
  commit: nothing,
  mpage_map_one_extent: mpage_map_one_extent_nolock,
  releaseShortWrite,
  sizeAfterWrite,
  ext4_da_map_blocks,
  ext4_claim_free_clusters,
  ext4_da_reserve_space,
  ext4_da_release_space,
  ext4_da_update_reserve_space,
  ext4_es_insert_extent,
  ext4_es_insert_delayed_extent,
  ext4_es_remove_extent,
  ext4_ext_remove_space,
  ext4_truncate_failed_write,
  ext4_block_zero_range,
  ext4_update_disksize_before_punch,
  folio_cancel_dirty,
  truncate_inode_pages_range,
};

/** fs/ext4/inode.c ext4_da_aops */
const ext4_da_aops = {
  write_begin: ext4_da_write_begin,
  write_end: ext4_da_write_end,
  page_mkwrite: ext4_da_page_mkwrite,
  get_block: ext4_da_get_block_prep,
};

/** fs/ext4/inode.c ext4_aops */
const ext4_aops = {
  write_begin: ext4_write_begin,
  write_end: ext4_write_end,
  page_mkwrite: ext4_page_mkwrite,
  get_block: ext4_get_block,
};

/** fs/ext4/inode.c ext4_journalled_aops */
const ext4_journalled_aops = { ...ext4_aops, writepages: ext4_journalled_writepages };

/** What data=ordered adds. */
const ordered = {
  ext4_jbd2_inode_add_write,
  ext4_jbd2_inode_add_wait,
  commit: jbd2_journal_commit_transaction,
};

/** The table for a configuration, with the entries that `overrides` replace, applied in order. */
export function operationsFor(
  config: ModelConfig,
  overrides: readonly Override[] = [],
): Operations {
  const aops =
    config.journal === "journal"
      ? ext4_journalled_aops
      : config.delalloc
        ? ext4_da_aops
        : ext4_aops;
  let table: Operations = {
    ...common,
    ...aops,
    perform_write: config.prefaultFirst ? generic_perform_write_prefault : generic_perform_write,
    ...(config.journal === "ordered" && ordered),
    do_sync_mmap_readahead: mmapReadAround(config.mmapReadAround ?? 0),
    zeroBeforeExtending: config.zeroesGap === "before" ? zeroBeforeExtending : nothing,
    zeroAfterExtending: config.zeroesGap === "after" ? zeroAfterExtending : nothing,
    ...(config.dioread === "lock" && { mpage_map_one_extent: mpage_map_one_extent_lock }),
  };
  for (const override of overrides) table = { ...table, ...override(table) };
  return table;
}
