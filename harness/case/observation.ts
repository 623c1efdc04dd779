/**
 * Observation: exactly what must agree after each operation, as plain data.
 */

export const EXTENT_STATES = ["delayed", "unwritten", "written"] as const;

/** What a block of the file is: a hole is the absence of an extent. */
export type ExtentState = (typeof EXTENT_STATES)[number];

/**
 * Blocks [lblk, lblk + len) in one state. Lists are sorted, do not overlap, and neighbours of one
 * state are merged.
 */
export interface Extent {
  lblk: number;
  len: number;
  state: ExtentState;
}

/** An entry of the extent status cache, which also remembers holes. */
export interface CacheExtent {
  lblk: number;
  len: number;
  state: ExtentState | "hole";
}

/** Blocks [lblk, end). */
export interface BlockRange {
  lblk: number;
  end: number;
}

export interface Observation {
  /** What the call returned: bytes, 0, or -errno. */
  result: number;
  /** st_size, bytes. */
  i_size: number;
  /** st_blocks, 512-byte units. */
  st_blocks: number;
  /** FIEMAP of the windows, merged by state. */
  map: Extent[];
  /**
   * The blocks that were looked at, for `map` and `cache`: sorted ranges; undefined for the whole
   * file (windows.ts).
   */
  windows?: readonly BlockRange[] | undefined;
  /**
   * Physical extents of the whole file before merging, at most. Bounds the extent-tree blocks in
   * st_blocks.
   */
  pieces: number;
  /**
   * Blocks of `map` whose neighbour before them is allocated too, but elsewhere on the disk;
   * sorted. Not compared: it tells the model of placement, which it leaves out. Absent where nobody
   * knows.
   */
  breaks?: readonly number[] | undefined;
  /** Clusters reserved for delayed allocation by the files of the case. */
  reserved: number;
  /**
   * Transactions that were committed since the case began; only where there is more than one file,
   * and data=ordered. Not compared.
   */
  commits?: number | undefined;
  /** Its page cache; undefined where the kernel does not tell, or has reclaimed from it. */
  pages?: CachedPages | undefined;
  /** EXT4_IOC_GET_ES_CACHE, merged by state; undefined where the kernel has no such ioctl. */
  cache?: CacheExtent[] | undefined;
  /**
   * The bytes that a pread returned, or all preads during a pause; undefined for every other
   * operation.
   */
  read?: Uint8Array | undefined;
  /**
   * Of a paused write: what was seen when it came to its pause, and after each operation during
   * that. Absent for all others.
   */
  during?: readonly PausedLook[] | undefined;
  /** Of a power cut: what is left. Absent for all others. */
  cut?: CutLook | undefined;
}

/** What cachestat(2) counts of a file, in pages: each of a folio counts. */
export interface CachedPages {
  cached: number;
  /** Tagged dirty in the page cache (PAGECACHE_TAG_DIRTY), whether or not they still are. */
  dirty: number;
}

/** `2 cached, 1 dirty` */
export function describePages({ cached, dirty }: CachedPages): string {
  return `${cached} cached, ${dirty} dirty`;
}

/** What a mount finds on the image as it was at a moment, once it has replayed the journal. */
export interface CutLook {
  /** What is left depends on the clock: it is not compared. */
  unsure?: true | undefined;
  /**
   * Transactions that were committed since the case began; of the model, as many as were asked for.
   */
  commits: number;
  /** Undefined where there is no such file: nothing has committed its name. */
  file?: CutFile | undefined;
  /** What e2fsck and the kernel had to say. */
  complaints: readonly string[];
}

/** What is left of a file. */
export interface CutFile {
  i_size: number;
  /** As FIEMAP shows it. */
  map: Extent[];
  /**
   * What its written blocks hold before EOF, as far as `dataRanges` goes; of the model, undefined
   * where it cannot know.
   */
  bytes?: Uint8Array | undefined;
}

/** What can be seen of a file while a writer holds its lock. */
export interface PausedLook {
  /** What the operation during the pause returned; 0 at its beginning. */
  result: number;
  i_size: number;
  /** Clusters reserved for delayed allocation by this file. */
  reserved: number;
}
