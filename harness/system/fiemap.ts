/**
 * What the kernel says a file's blocks are: FS_IOC_FIEMAP and EXT4_IOC_GET_ES_CACHE.
 *
 * Kernel: include/uapi/linux/fiemap.h; fs/ext4/extents.c ext4_fiemap(), ext4_fill_es_cache_info(),
 *         whose flag for a hole is EXT4_FIEMAP_EXTENT_HOLE in fs/ext4/ext4.h
 *
 * struct fiemap is 32 bytes, then 56 bytes an extent. The fields are read as pairs of 32-bit words:
 * byte offsets reach 2^44, which a number holds exactly, and BigInt would cost more than the ioctl.
 */
import { WHOLE_FILE } from "../case/extents.ts";
import type { BlockRange, CacheExtent, Extent } from "../case/observation.ts";
import { appendMerged } from "./merged-extents.ts";
import { keptMemory, syscalls } from "./syscalls.ts";

const FS_IOC_FIEMAP = 0xc020660b;
const EXT4_IOC_GET_ES_CACHE = 0xc020662a;

const FIEMAP_EXTENT_LAST = 0x1;
const FIEMAP_EXTENT_DELALLOC = 0x4;
const FIEMAP_EXTENT_UNWRITTEN = 0x800;
const EXT4_FIEMAP_EXTENT_HOLE = 0x08000000;

/** The end of all bytes. */
const ALL_BYTES = Infinity;

/** Extents that one call returns at most; more take another call. */
const EXTENTS_PER_CALL = 1024;
const HEADER_WORDS = 8;
const EXTENT_WORDS = 14;
const TWO_32 = 2 ** 32;

/**
 * A block that is both has a place on disk and no reservation (kernels before 6.8 marked dirty data
 * over an unwritten extent so), hence unwritten before delayed; FIEMAP decides the same way.
 */
function stateOf(flags: number): CacheExtent["state"] {
  if ((flags & EXT4_FIEMAP_EXTENT_HOLE) !== 0) return "hole";
  if ((flags & FIEMAP_EXTENT_UNWRITTEN) !== 0) return "unwritten";
  if ((flags & FIEMAP_EXTENT_DELALLOC) !== 0) return "delayed";
  return "written";
}

/** struct fiemap of one call, for all readers: a read is over before another begins. */
let kept: { address: number; words: Uint32Array } | undefined;

function keptFiemap(): { address: number; words: Uint32Array } {
  if (kept !== undefined) return kept;
  const words = HEADER_WORDS + EXTENTS_PER_CALL * EXTENT_WORDS;
  const { address, buffer } = keptMemory(4 * words);
  return (kept = { address, words: new Uint32Array(buffer, 0, words) });
}

/** Reads the maps of files of one file system. */
export class ExtentReader {
  readonly #sys = syscalls();
  readonly #bytesPerBlock: number;
  readonly #address = keptFiemap().address;
  readonly #words = keptFiemap().words;
  /** Extents as the kernel returned them, before merging, in the last `map` or `cache`. */
  pieces = 0;
  /**
   * In the last `map`, blocks that follow an allocated block in the file but not on the disk;
   * sorted.
   */
  breaks: number[] = [];
  /** Where the extent that was read last ends, bytes in the file and on the disk. */
  #end = { logical: -1, physical: -1 };

  /** `blockSize`: bytes. */
  constructor(blockSize: number) {
    this.#bytesPerBlock = blockSize;
  }

  /** FIEMAP of the blocks of some sorted ranges, clipped to them and merged by state, or -errno. */
  map(fd: number, ranges: readonly BlockRange[] = WHOLE_FILE): Extent[] | number {
    return this.#read(fd, FS_IOC_FIEMAP, ranges) as Extent[] | number;
  }

  /**
   * The extent status cache in the same way. The kernel looks the first block of a range up
   * exactly: where no entry covers it the answer for the range is empty, whatever lies behind.
   */
  cache(fd: number, ranges: readonly BlockRange[] = WHOLE_FILE): CacheExtent[] | number {
    return this.#read(fd, EXT4_IOC_GET_ES_CACHE, ranges);
  }

  /** Both calls for some ranges, and no look at what they fill in but for its end. 0 or -errno. */
  ask(fd: number, ranges: readonly BlockRange[] = WHOLE_FILE): number {
    for (const request of [EXT4_IOC_GET_ES_CACHE, FS_IOC_FIEMAP]) {
      for (const range of ranges) {
        const end = range.end * this.#bytesPerBlock;
        let start = range.lblk * this.#bytesPerBlock;
        for (let mapped = EXTENTS_PER_CALL; mapped === EXTENTS_PER_CALL && start < end;) {
          mapped = this.#call(fd, request, start, end);
          if (mapped < 0) return mapped;
          if (mapped === EXTENTS_PER_CALL) start = this.#endOfExtent(mapped - 1);
        }
      }
    }
    return 0;
  }

  #read(fd: number, request: number, ranges: readonly BlockRange[]): CacheExtent[] | number {
    const extents: CacheExtent[] = [];
    this.pieces = 0;
    this.breaks = [];
    this.#end = { logical: -1, physical: -1 };
    for (const range of ranges) {
      const error = this.#readRange(fd, request, range, extents);
      if (error < 0) return error;
    }
    return extents;
  }

  /** Adds what one range holds to `extents`. 0 or -errno. */
  #readRange(fd: number, request: number, range: BlockRange, extents: CacheExtent[]): number {
    const end = range.end * this.#bytesPerBlock;
    let start = range.lblk * this.#bytesPerBlock;
    for (let known = 0; ;) {
      const mapped = this.#call(fd, request, start, end);
      if (mapped < 0) return mapped;
      this.pieces += Math.max(mapped - known, 0);
      const flags = this.#append(extents, known, mapped, range);
      if (mapped < EXTENTS_PER_CALL || (flags & FIEMAP_EXTENT_LAST) !== 0) return 0;
      const last = extents.at(-1)!;
      start = (last.lblk + last.len) * this.#bytesPerBlock;
      if (start >= end) return 0;
      if (request === EXT4_IOC_GET_ES_CACHE) {
        // From the last entry again and not from behind it, where a gap would end the answer.
        start -= this.#bytesPerBlock;
        known = 1;
      }
    }
  }

  /** One ioctl for the bytes [start, end); returns how many extents it filled in, or -errno. */
  #call(fd: number, request: number, start: number, end: number): number {
    const words = this.#words;
    words[0] = start;
    words[1] = start / TWO_32;
    if (end === ALL_BYTES) {
      // FIEMAP_MAX_OFFSET less the start: the kernel refuses a range that wraps around.
      words[2] = 0xffffffff - words[0];
      words[3] = 0xffffffff - words[1];
    } else {
      words[2] = end - start;
      words[3] = (end - start) / TWO_32;
    }
    words[4] = 0;
    words[5] = 0;
    words[6] = EXTENTS_PER_CALL;
    words[7] = 0;
    const result = this.#sys.ioctl(fd, request, this.#address);
    return result < 0 ? result : words[5];
  }

  /** A 64-bit field of what the last call filled in. */
  #field(word: number): number {
    return this.#words[word + 1]! * TWO_32 + this.#words[word]!;
  }

  /** The byte after extent number `i` of the last call. */
  #endOfExtent(i: number): number {
    const at = HEADER_WORDS + i * EXTENT_WORDS;
    return this.#field(at) + this.#field(at + 4);
  }

  /**
   * Adds extents `first` to `end` of the buffer to `extents`, clipped and merged; returns the flags
   * of the last one.
   */
  #append(extents: CacheExtent[], first: number, end: number, range: BlockRange): number {
    const words = this.#words;
    const blocks = 1 / this.#bytesPerBlock;
    let flags = 0;
    for (let i = first; i < end; i++) {
      const at = HEADER_WORDS + i * EXTENT_WORDS;
      const start = this.#field(at) * blocks;
      const lblk = Math.max(start, range.lblk);
      const len = Math.min(start + this.#field(at + 4) * blocks, range.end) - lblk;
      flags = words[at + 10]!;
      const state = stateOf(flags);
      if (len > 0) appendMerged(extents, lblk, len, state);
      if (state === "written" || state === "unwritten") this.#noteBreak(at, start);
    }
    return flags;
  }

  /**
   * Compare where the allocated extent at word `at` begins, at block `lblk`, with where the one
   * before it ended.
   */
  #noteBreak(at: number, lblk: number): void {
    const logical = this.#field(at);
    const physical = this.#field(at + 2);
    const length = this.#field(at + 4);
    if (logical === this.#end.logical && physical !== this.#end.physical) this.breaks.push(lblk);
    this.#end.logical = logical + length;
    this.#end.physical = physical + length;
  }
}
