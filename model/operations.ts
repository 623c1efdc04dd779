/**
 * The table of functions that a file system under test is made of, as the kernel's address_space_operations and
 * get_block_t pointers are. `tables.ts` fills it from a configuration; a deviation replaces entries of it. Below
 * the table nothing asks which variant it serves.
 */
import type { ExtentStatus, Folio, Inode, Source, SuperBlock, MapBlocks } from "./types.ts";

/** What write_begin hands to write_end: the folio, or why there is none. */
export type WriteBegin = Folio | number;

/** get_block_t: map block `lblk` for buffer `b` of `folio`; 0 or -errno. */
export type GetBlock = (inode: Inode, lblk: number, folio: Folio, b: number) => number;

export interface Operations {
  /** A write is about to begin at `pos`; where that is past EOF, the gap must read as zero. */
  zeroBeforeExtending(inode: Inode, pos: number): void;
  /** The same once data has been put at `pos`, past the EOF of before. */
  zeroAfterExtending(inode: Inode, old_size: number, pos: number): void;
  /** How write(2) puts data into the page cache. Bytes written, or -errno where none were. */
  perform_write(inode: Inode, pos: number, len: number, readable: number, source: Source): number;
  write_begin(inode: Inode, pos: number, len: number): WriteBegin;
  /** Bytes accepted of `copied`. */
  write_end(
    inode: Inode,
    pos: number,
    len: number,
    copied: number,
    folio: Folio,
    source: Source,
  ): number;
  /** A fault finds page `index` not cached. */
  do_sync_mmap_readahead(inode: Inode, index: number): void;
  /** A store through a shared mapping reaches a folio that is not yet writable: 0 or -errno. */
  page_mkwrite(inode: Inode, folio: Folio): number;
  /** Blocks for the pages of a write. */
  get_block: GetBlock;
  /** Writeback of the folios in [start, end] bytes. 0 or -errno. */
  writepages(inode: Inode, start: number, end: number): number;
  /** Blocks for a run of dirty buffers at writeback, and what I/O completion makes of them. 0 or -errno. */
  mpage_map_one_extent(inode: Inode, map: MapBlocks): number;

  /** Bytes of the file must be written before the running transaction commits. */
  ext4_jbd2_inode_add_write(inode: Inode, start_byte: number, length: number): void;
  /** Committing the running transaction must wait for I/O to these bytes that has been started. */
  ext4_jbd2_inode_add_wait(inode: Inode, start_byte: number, length: number): void;
  /** Commit the running transaction, if the inode is part of it. */
  commit(inode: Inode): void;

  /** Give back what a write that ended short prepared and did not use: bytes [from, to) of the folio. */
  releaseShortWrite(inode: Inode, folio: Folio, from: number, to: number): void;
  /** i_size after `copied` bytes at `pos` were accepted. */
  sizeAfterWrite(inode: Inode, pos: number, copied: number): number;

  ext4_da_map_blocks(inode: Inode, map: MapBlocks): number;
  ext4_claim_free_clusters(sbi: SuperBlock, nclusters: number): boolean;
  ext4_da_reserve_space(inode: Inode, nr_resv: number): number;
  ext4_da_release_space(inode: Inode, to_free: number): void;
  ext4_da_update_reserve_space(inode: Inode, used: number): void;
  ext4_es_insert_extent(inode: Inode, lblk: number, len: number, status: ExtentStatus): void;
  ext4_es_insert_delayed_extent(inode: Inode, lblk: number, len: number): void;
  ext4_es_remove_extent(inode: Inode, lblk: number, len: number): void;
  ext4_ext_remove_space(inode: Inode, lblk: number, len: number): void;
  ext4_truncate_failed_write(inode: Inode): void;
  ext4_block_zero_range(inode: Inode, from: number, length: number): void;
  ext4_update_disksize_before_punch(inode: Inode, offset: number, len: number): void;
  folio_cancel_dirty(inode: Inode, folio: Folio): void;
  truncate_inode_pages_range(inode: Inode, lstart: number, lend: number): void;
}
