/**
 * The state of the model, under the kernel's names. Only what the write path needs is here; what is
 * left out is said in the file that models the function which would use it.
 */
import type { Interval, IntervalMap } from "./interval-map.ts";
import type { Operations } from "./operations.ts";

/** x86-64 and most arm64: folios are multiples of this. */
export const PAGE_SIZE = 4096;
export const PAGE_SHIFT = Math.log2(PAGE_SIZE);

/** bdev_logical_block_size() of a loop device, bytes: what direct I/O is aligned to. */
export const LOGICAL_BLOCK_SIZE = 512;

/**
 * fs/ext4/ext4_extents.h EXT_MAX_BLOCKS: one past the last logical block that an extent can hold.
 */
export const EXT_MAX_BLOCKS = 2 ** 32 - 1;

/** State of an allocated block in the extent tree. */
export const WRITTEN = 1;
export const UNWRITTEN = 2;
export type OnDiskState = typeof WRITTEN | typeof UNWRITTEN;

/** Further states of the extent status tree (fs/ext4/extents_status.h EXTENT_STATUS_*). */
export const DELAYED = 3;
export const HOLE = 4;
export type ExtentStatus = OnDiskState | typeof DELAYED | typeof HOLE;

/** Flags of one buffer of a folio (include/linux/buffer_head.h enum bh_state_bits). */
export const BH_Uptodate = 1;
export const BH_Dirty = 2;
export const BH_Mapped = 4;
export const BH_New = 8;
export const BH_Delay = 16;
export const BH_Unwritten = 32;

/**
 * State of one block of a folio on the iomap path (fs/iomap/buffered-io.c struct
 * iomap_folio_state).
 */
export const IFS_UPTODATE = 1;
export const IFS_DIRTY = 2;

/** struct folio with its struct buffer_heads, as far as a write can see them. */
export interface Folio {
  /** First page. */
  index: number;
  /** 2^order pages. */
  order: number;
  uptodate: boolean;
  dirty: boolean;
  /** PAGECACHE_TAG_DIRTY: the page cache lists it as dirty, whether or not it still is. */
  tagged: boolean;
  /** PG_dropbehind: nobody but writes with RWF_DONTCACHE has asked for it, so it goes once clean. */
  dropbehind: boolean;
  /** PG_readahead: using it starts the next window of read-ahead. */
  readahead: boolean;
  /**
   * One BH_* set a block; undefined where no buffers are attached, and always on the iomap path.
   */
  buffers: Uint8Array | undefined;
  /**
   * struct iomap_folio_state, one IFS_* set a block; undefined where there is none, and always on
   * the buffer_head path.
   */
  ifs: Uint8Array | undefined;
}

/** Where the bytes of a range of the file came from: byte p is pattern(tag)[p + delta]. */
export interface Source {
  tag: number;
  delta: number;
}

/** The same of bytes that another file holds: byte p is the one at p + delta of `of`. */
export interface CopiedBytes {
  readonly of: IntervalMap<Source>;
  readonly delta: number;
}

/** What a write copies from: struct iov_iter, and the memory that it points to. */
export interface UserMemory {
  /**
   * Bytes that can be read from where the write stands; a write that goes on takes what it read
   * off.
   */
  readable: number;
  /**
   * lib/iov_iter.c fault_in_iov_iter_readable(), where the next bytes cannot be read: the writer
   * may sleep until somebody has made `readable` larger (userfaultfd), while others work on the
   * file.
   */
  fault: () => void;
}

/** struct jbd2_inode */
export interface jbd2_inode {
  /** It is filed with the running transaction (i_transaction). */
  filed: boolean;
  /**
   * Committing writes the range back (JI_WRITE_DATA); else it only waits for it. Nothing ever takes
   * the flag away again: once a range was to be written, so are all after it.
   */
  write: boolean;
  /** Bytes, both inclusive; of the running transaction. */
  i_dirty_start: number;
  i_dirty_end: number;
}

/**
 * struct ext4_prealloc_space: room that was allocated for blocks [pa_lstart, pa_end) of a file,
 * `pa_free` of it unused.
 */
export interface Preallocation {
  pa_lstart: number;
  pa_end: number;
  pa_free: number;
}

/** An inode as the journal has it, and what its blocks hold (power-cut.ts). Ours. */
export interface Committed {
  i_disksize: number;
  readonly i_extents: IntervalMap<OnDiskState>;
  /** Of its blocks, as they are on disk now; what is missing is zero. */
  readonly contents: IntervalMap<Source>;
  /** Blocks of it that the running transaction has freed. */
  readonly freed: IntervalMap<true>;
  /** The running transaction has moved blocks. */
  moved: boolean;
  /** Whether `contents` is what the blocks hold. */
  known: boolean;
  /**
   * States of blocks in it were guessed by the operation that is under way (zeroout.ts); who adopts
   * others does so here too.
   */
  guessed: boolean;
}

/** What is on the disk of a file. Ours. */
export interface Disk {
  /** Of its blocks as they are numbered now; what is missing is zero. */
  readonly contents: IntervalMap<Source>;
  /** Undefined before the first commit: there is no such file. */
  committed: Committed | undefined;
}

/** What a device refuses that has no room: known to whoever sees what comes of it. */
export interface Refusal {
  /** Whether it refuses what writeback has for a block that is unwritten. */
  block: (lblk: number) => boolean;
  /**
   * Whether it refuses data once more for such a block, which it may have room for by now;
   * undefined where nobody can tell.
   */
  again: (lblk: number) => boolean | undefined;
  /** Whether it refuses a direct write, if that needs room. */
  direct: boolean;
}

/**
 * Which of a write's allocations of memory fail, as far as it matters: known to whoever sees what
 * comes of it.
 */
export interface MemoryFailure {
  /**
   * Whether one does that mapping the bytes from `pos` on takes, before blocks are allocated for
   * them; on the iomap path, where a write begins with a mapping.
   */
  mapping: (pos: number) => boolean;
  /**
   * Whether one does that the folio of byte `pos` takes, where a round of the write begins, before
   * anything is copied into it.
   */
  folio: (pos: number) => boolean;
  /**
   * Whether the one for the handle does with which the journal would hear of the size that the
   * round at `pos` has moved.
   */
  handle: (pos: number) => boolean;
  /**
   * Whether what the write had made past EOF is truncated then, as it is after a failed allocation
   * for blocks.
   */
  truncates: boolean;
}

/**
 * What a kernel was free to choose in a call, told by who saw what came of it. Without one the model
 * chooses.
 */
export interface Oracle {
  /** Whether a sync commits; undefined where the model decides. */
  readonly commits: boolean | undefined;
  /** Whether the call says EIO. */
  readonly saysError: boolean;
  /**
   * Of a call that goes on after writeback (others do during a pause, a direct write writes), so
   * that its guesses are used before anybody can look: whether a block is seen to be unwritten after
   * it, so that nothing in it can have zeroed the block. Undefined for other calls.
   */
  readonly staysUnwritten: ((lblk: number) => boolean) | undefined;
}

/** struct inode and struct ext4_inode_info. */
export interface Inode {
  readonly i_sb: SuperBlock;
  readonly i_blkbits: number;
  i_size: number;
  i_disksize: number;
  /** i_size of struct ext4_inode: what ext4_mark_inode_dirty() saw of i_disksize last. */
  raw_i_size: number;
  /** The transaction that fdatasync waits for (ext4_inode_info.i_datasync_tid). */
  i_datasync_tid: number;
  /**
   * The extent tree: allocated blocks. Physical block numbers are left out: what depends on them is
   * told (breaks).
   */
  readonly i_extents: IntervalMap<OnDiskState>;
  readonly i_es_tree: IntervalMap<ExtentStatus>;
  /** Counts changes of the extent status tree (ext4_inode_info.i_es_seq). */
  i_es_seq: number;
  i_reserved_data_blocks: number;
  /**
   * EXT4_STATE_DA_ALLOC_CLOSE: the file was emptied, so what is written to it then goes to the disk
   * when it is closed.
   */
  allocatesOnClose: boolean;
  i_prealloc: Preallocation[];
  /** FALL_BACK_TO_NONDELALLOC: the write_begin before this write_end has allocated blocks. */
  fellBack: boolean;
  /**
   * Blocks past EOF that the file had when the current write began; empty where it had none. Ours.
   */
  pastEof: readonly Interval<OnDiskState>[];
  /** Of the only descriptor. */
  readonly f_ra: FileReadAhead;
  /** The page cache: folios sorted by index. */
  readonly i_mapping: Folio[];
  /**
   * PAGECACHE_TAG_DIRTY in the page cache: the dirty folios, and maybe some that are clean or gone
   * by now.
   */
  readonly i_dirty: Set<Folio>;
  /**
   * Data that must reach the disk before the running transaction commits; undefined where none
   * must.
   */
  jinode: jbd2_inode | undefined;
  /**
   * What a read returns; what is missing reads as zero. Ours: the kernel has it in folios and on
   * disk.
   */
  readonly contents: IntervalMap<Source>;
  /** Undefined where nobody will ask what a power cut leaves. Ours. */
  readonly disk: Disk | undefined;
  /**
   * Unwritten blocks that the kernel may have turned into written zeros, depending on where the
   * allocator put their neighbours (see ext4/zeroout.ts). Ours.
   */
  readonly maybeZeroed: IntervalMap<true>;
  /**
   * Blocks that were zeroed on disk, past the journal, and that a deviation says may be something
   * else after a replay. Ours.
   */
  readonly zeroedOnDisk: IntervalMap<true>;
  /** What is told of the call that is under way. Ours. */
  oracle: Oracle | undefined;
  /** A write with RWF_DONTCACHE copies (struct kiocb). Absent before the first of them. */
  dontcache?: boolean;
  /** While the device has no room for what it does not hold yet. Ours. */
  refuses: Refusal | undefined;
  /** While an allocation of memory fails. Ours. */
  failure: MemoryFailure | undefined;
  /**
   * Blocks for which it has refused data and that are unwritten since; true as long as it has no
   * room for them, as far as is known. Once it has taken data for one it takes more. Ours.
   */
  readonly refused: IntervalMap<boolean>;
  /** address_space.wb_err: -errno that writeback came to and no fsync has returned yet, or 0. */
  wb_err: number;
  /** There may be such an error, of a call that did not tell. Ours. */
  mayHaveError: boolean;
  /**
   * Allocated blocks that are not placed right behind the block before them. The model does not
   * place blocks; who follows a kernel tells it. Ours.
   */
  breaks: ReadonlySet<number>;
  /**
   * Nobody has told the journal of its size: whether anything else does, for one a new mtime,
   * depends on the clock, and with it what the disk has. Ours.
   */
  sizeUntold: boolean;
  /**
   * What is cached of the file may not be what the model thinks: a guess of zeroout.ts was wrong,
   * or nobody could tell. Ours.
   */
  uncertain: boolean;
  /** A named deviation changed what an operation did to this inode; the ids. Ours. */
  readonly deviated: Set<string>;
}

/** struct file_ra_state */
export interface FileReadAhead {
  start: number;
  size: number;
  async_size: number;
  order: number;
}

/** How much of what is free a file system can give, and how well it knows; all in blocks. Ours. */
export interface Reserve {
  /**
   * EXT4_FREECLUSTERS_WATERMARK: fewer that are free and not promised, and writes are not delayed.
   */
  watermark: number;
  /** By how much each of its per-CPU counters may be wrong. */
  error: number;
  /** s_resv_clusters: those that are kept for the file system itself. */
  reserved: number;
}

/** struct super_block and struct ext4_sb_info. */
export interface SuperBlock {
  readonly s_op: Operations;
  readonly s_blocksize: number;
  readonly s_blocksize_bits: number;
  readonly s_blocks_per_group: number;
  /** Largest file, bytes. */
  readonly s_maxbytes: number;
  /** Order of the largest folio of the page cache; 0 where the mapping has no large folios. */
  readonly s_max_folio_order: number;
  /** Pages of a window of read-ahead (read_ahead_kb); 0 where it is off. */
  readonly s_ra_pages: number;
  /** Blocks that fit in s_extent_max_zeroout_kb. */
  readonly s_extent_max_zeroout: number;
  /** There is a journal. */
  readonly s_journal: boolean;
  /** How often a transaction was committed, which is the number of the running one. Ours. */
  s_commits: number;
  /** The files of the case, which the running transaction may have something of. Ours. */
  readonly s_inodes: Set<Inode>;
  /** New files record what is on their disk. Ours. */
  s_recordsDisk: boolean;
  s_freeclusters_counter: number;
  /**
   * Of these, blocks that the running transaction has freed: nobody gets them before it has
   * committed.
   */
  s_mb_free_pending: number;
  /**
   * The running transaction may have freed more than that, of files that the model did not follow
   * to their end. Ours.
   */
  s_freedUnknown: boolean;
  s_dirtyclusters_counter: number;
  /**
   * Undefined where all that is free can be had, and writes are delayed up to the last block of it.
   * Ours.
   */
  s_reserve: Reserve | undefined;
  /**
   * Since that was set to false, what was done depends on how much is free more exactly than can be
   * known here. Ours.
   */
  beyondModel: boolean;
  /** Since that was set to false, the kernel has written back of itself. Ours. */
  s_wroteBack: boolean;
}

/** struct ext4_map_blocks without the physical block. */
export interface MapBlocks {
  m_lblk: number;
  m_len: number;
  /** BH_Mapped, BH_New, BH_Unwritten, BH_Delay as EXT4_MAP_*; 0 is a hole. */
  m_flags: number;
}
