/**
 * The table of functions that a file system under test is made of, as the kernel's
 * address_space_operations and get_block_t pointers are. `tables.ts` fills it from a configuration;
 * a deviation replaces entries of it. Below the table nothing asks which variant it serves.
 */
import type { Iomap, IomapOps } from "./iomap.ts";
import type { Ioend, WritepageContext } from "./iomap.ts";
import type {
  ExtentStatus,
  Folio,
  Inode,
  MapBlocks,
  CopiedBytes,
  Source,
  SuperBlock,
  UserMemory,
} from "./types.ts";

/** What write_begin hands to write_end: the folio, or why there is none. */
export type WriteBegin = Folio | number;

/** get_block_t: map block `lblk` for buffer `b` of `folio`; 0 or -errno. */
export type GetBlock = (inode: Inode, lblk: number, folio: Folio, b: number) => number;

export interface Operations {
  /** Whether files may have folios of more than one page. */
  ext4_should_enable_large_folio(journal: "ordered" | "journal" | "none"): boolean;
  /** A buffered write is about to begin at `pos`: how much of it may be written, or -errno. */
  ext4_write_checks(
    inode: Inode,
    pos: number,
    len: number,
    from: UserMemory,
    limit?: number,
  ): number;
  /**
   * Of a gap between the EOF of before and `pos`, where data has been put: bytes to zero only now.
   */
  gapToZero(old_size: number, pos: number): number;
  /**
   * fallocate(2) allocates blocks [lblk, end) for a file that will have `new_size` bytes, or as
   * many as it has where that is 0. 0 or -errno.
   */
  ext4_alloc_file_blocks(
    inode: Inode,
    lblk: number,
    end: number,
    new_size: number,
    flags: number,
  ): number;
  /** fallocate(2) with FALLOC_FL_ZERO_RANGE, and FALLOC_FL_KEEP_SIZE if `keep`. 0 or -errno. */
  ext4_zero_range(inode: Inode, offset: number, len: number, keep: boolean): number;
  /** fallocate(2) with FALLOC_FL_PUNCH_HOLE. 0 or -errno. */
  ext4_punch_hole(inode: Inode, offset: number, length: number): number;
  /**
   * fallocate(2) zeroes the blocks in bytes [start, end); the file will have `new_size` bytes, or
   * as many as it has where that is 0.
   */
  forgetZeroed(inode: Inode, start: number, end: number, new_size: number): void;
  /**
   * fallocate(2) has dropped the page cache of blocks [start, end), which it was to zero, and could
   * not allocate all of them.
   */
  releaseDropped(inode: Inode, start: number, end: number): void;
  /** ftruncate(2). 0 or -errno. */
  ext4_setattr(inode: Inode, size: number): number;
  /** Free every block past i_size. */
  ext4_truncate(inode: Inode): void;
  /** Blocks [start, end) are zeroed on disk, past page cache and journal. */
  zeroesOnDisk(inode: Inode, start: number, end: number): void;
  /** Bytes [start, end) of the page cache, whole blocks, are written to disk. */
  writesToDisk(inode: Inode, start: number, end: number): void;
  /** How write(2) puts data into the page cache. Bytes written, or -errno where none were. */
  perform_write(
    inode: Inode,
    pos: number,
    len: number,
    from: UserMemory,
    source: Source | CopiedBytes,
  ): number;
  /** Whether direct I/O goes past the page cache. */
  ext4_should_use_dio(inode: Inode): boolean;
  /** Whether direct I/O may go on with `rest` bytes of the request left. */
  bdev_iter_is_aligned(rest: number): boolean;
  /** What becomes of `error` where a direct write zeroes the rest of a block after it. */
  errorAfterZeroing(inode: Inode, error: number): number;
  /** A direct write that was to move EOF has failed: what it made past EOF goes. */
  ext4_inode_extension_cleanup(inode: Inode): void;
  write_begin(inode: Inode, pos: number, len: number): WriteBegin;
  /** Bytes accepted of `copied`. */
  write_end(
    inode: Inode,
    pos: number,
    len: number,
    copied: number,
    folio: Folio,
    source: Source | CopiedBytes,
  ): number;
  /** Page `index` is about to be used by a fault: read what read-ahead reads then. */
  mmapReadAhead(inode: Inode, index: number): void;
  /** A store through a shared mapping reaches a folio that is not yet writable: 0 or -errno. */
  page_mkwrite(inode: Inode, folio: Folio): number;
  /** Blocks for the pages of a write. */
  get_block: GetBlock;
  /** The same where space is too short for delaying it. */
  get_block_now: GetBlock;
  /** Make the whole folio uptodate; it is not where it cannot be read. */
  read_folio(inode: Inode, folio: Folio): void;
  /** Whether bytes [from, to) of a folio that is not uptodate as a whole are. */
  is_partially_uptodate(inode: Inode, folio: Folio, from: number, to: number): boolean;
  /** A store through a mapping went into the folio. */
  dirty_folio(inode: Inode, folio: Folio): void;
  /** Bytes [offset, offset + length) of the folio are cut off. */
  invalidate_folio(inode: Inode, folio: Folio, offset: number, length: number): void;
  /** Drop what is kept about the folio's blocks; false where it is still needed. */
  release_folio(inode: Inode, folio: Folio): boolean;
  /** Writeback of the folios in [start, end] bytes. 0 or -errno. */
  writepages(inode: Inode, start: number, end: number): number;
  /** The device has refused the data of buffer `b` of the folio, whose block stays unwritten. */
  bufferRefused(inode: Inode, folio: Folio, b: number): void;
  /**
   * Blocks for a run of dirty buffers at writeback, and what I/O completion makes of them. Flags of
   * the io_end.
   */
  mpage_map_one_extent(inode: Inode, map: MapBlocks): number;

  /** Bytes of the file must be written before the running transaction commits. */
  ext4_jbd2_inode_add_write(inode: Inode, start_byte: number, length: number): void;
  /** Committing the running transaction must wait for I/O to these bytes that has been started. */
  ext4_jbd2_inode_add_wait(inode: Inode, start_byte: number, length: number): void;
  /** Commit the running transaction, if the inode is part of it. */
  jbd2_journal_commit_transaction(inode: Inode): void;
  /** It has committed: a power cut leaves the inode as the transaction has it. */
  recordCommit(inode: Inode): void;

  /**
   * Give back what a write that ended short prepared and did not use: bytes [from, to) of the
   * folio.
   */
  releaseShortWrite(inode: Inode, folio: Folio, from: number, to: number): void;
  /**
   * Bytes that count of the `accepted` of a round that has moved i_size without memory for the
   * journal to hear of it, or -errno.
   */
  countWithoutHandle(inode: Inode, accepted: number): number;
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
  /**
   * Zeros in bytes [from, from + length) of one block. Whether the block had to be written for it.
   */
  ext4_block_zero_range(inode: Inode, from: number, length: number): boolean;
  /**
   * Zeros from `from`, which is EOF, to the end of its block, or to `to`. Whether the block had to
   * be written for it.
   */
  ext4_block_zero_eof(inode: Inode, from: number, to?: number): boolean;
  /** The blocks that a hole at bytes [offset, end) frees. */
  blocksOfHole(inode: Inode, offset: number, end: number): { start_lblk: number; end_lblk: number };
  ext4_update_disksize_before_punch(inode: Inode, offset: number, len: number): void;
  folio_cancel_dirty(inode: Inode, folio: Folio): void;
  truncate_inode_pages_range(inode: Inode, lstart: number, lend: number): void;

  // The iomap path.
  ext4_nonda_switch(sb: SuperBlock): boolean;
  /** An allocation found no space, for the `retries`-th time: whether it is worth another try. */
  ext4_should_retry_alloc(inode: Inode, retries: number): boolean;
  ext4_iomap_get_blocks(inode: Inode, map: MapBlocks): number;
  ext4_set_iomap(inode: Inode, map: MapBlocks): Iomap;
  iomap_valid(inode: Inode, iomap: Iomap): boolean;
  /** Of `count` bytes, how many may be copied to `pos` of a file, or -errno. */
  generic_copy_file_checks(to: Inode, pos: number, count: number): number;
  /** Bring in what bytes [from, to) of the folio cover in part only. */
  __iomap_write_begin(inode: Inode, iomap: Iomap, folio: Folio, from: number, to: number): void;
  /** Bytes accepted of `copied`. */
  __iomap_write_end(inode: Inode, folio: Folio, pos: number, len: number, copied: number): number;
  iomap_zero_range(inode: Inode, pos: number, len: number, ops: IomapOps): boolean;
  ext4_iomap_buffered_da_write_end(
    inode: Inode,
    offset: number,
    length: number,
    written: number,
    iomap: Iomap,
  ): void;
  iomap_last_written_block(inode: Inode, pos: number, written: number): number;
  iomap_write_delalloc_release(inode: Inode, start_byte: number, end_byte: number): void;
  /** iomap_punch_t: give back the delayed blocks that have a byte in [offset, offset + length). */
  ext4_iomap_punch_delalloc(inode: Inode, offset: number, length: number): void;
  /** struct iomap_writeback_ops: put the mapping at `offset` into `wpc`. 0 or -errno. */
  map_blocks(inode: Inode, wpc: WritepageContext, offset: number, dirty_len: number): number;
  finish_ioend(inode: Inode, ioend: Ioend): void;
}
