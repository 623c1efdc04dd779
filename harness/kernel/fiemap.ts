/**
 * What the kernel says a file's blocks are: FS_IOC_FIEMAP and EXT4_IOC_GET_ES_CACHE.
 *
 * Kernel: include/uapi/linux/fiemap.h; fs/ext4/extents.c ext4_fiemap(), ext4_fill_es_cache_info(), whose flag for a hole is
 *         EXT4_FIEMAP_EXTENT_HOLE in fs/ext4/ext4.h
 *
 * struct fiemap is 32 bytes, then 56 bytes an extent. The fields are read as pairs of 32-bit words: byte offsets
 * reach 2^44, which a number holds exactly, and BigInt would cost more than the ioctl.
 */
import type { CacheExtent, Extent } from "../observation.ts";
import { appendMerged } from "./merge.ts";
import { keptMemory, syscalls } from "./syscalls.ts";

const FS_IOC_FIEMAP = 0xc020660b;
const EXT4_IOC_GET_ES_CACHE = 0xc020662a;

const FIEMAP_EXTENT_LAST = 0x1;
const FIEMAP_EXTENT_DELALLOC = 0x4;
const FIEMAP_EXTENT_UNWRITTEN = 0x800;
const EXT4_FIEMAP_EXTENT_HOLE = 0x08000000;

/** Extents that one call returns at most; more take another call. */
const EXTENTS_PER_CALL = 1024;
const HEADER_WORDS = 8;
const EXTENT_WORDS = 14;
const TWO_32 = 2 ** 32;

/**
 * A block that is both has a place on disk and no reservation (kernels before 6.8 marked dirty data over an
 * unwritten extent so), hence unwritten before delayed; FIEMAP decides the same way.
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

  /** `blockSize`: bytes. */
  constructor(blockSize: number) {
    this.#bytesPerBlock = blockSize;
  }

  /** FIEMAP of the whole file, merged by state, or -errno. */
  map(fd: number): Extent[] | number {
    return this.#read(fd, FS_IOC_FIEMAP, 0) as Extent[] | number;
  }

  /**
   * The extent status cache from the entry that covers block `lblk` on, merged by state, or -errno. The kernel looks
   * `lblk` up exactly: where no entry covers it the answer is empty, whatever lies behind.
   */
  cache(fd: number, lblk = 0): CacheExtent[] | number {
    return this.#read(fd, EXT4_IOC_GET_ES_CACHE, lblk * this.#bytesPerBlock);
  }

  #read(fd: number, request: number, from: number): CacheExtent[] | number {
    const extents: CacheExtent[] = [];
    this.pieces = 0;
    for (let start = from, known = 0; ;) {
      const mapped = this.#call(fd, request, start);
      if (mapped < 0) return mapped;
      this.pieces += Math.max(mapped - known, 0);
      const flags = this.#append(extents, known, mapped);
      if (mapped < EXTENTS_PER_CALL || (flags & FIEMAP_EXTENT_LAST) !== 0) return extents;
      const last = extents.at(-1)!;
      start = (last.lblk + last.len) * this.#bytesPerBlock;
      if (request === EXT4_IOC_GET_ES_CACHE) {
        // From the last entry again and not from behind it, where a gap would end the answer.
        start -= this.#bytesPerBlock;
        known = 1;
      }
    }
  }

  /** One ioctl for the bytes from `start` to the end of all files; returns how many extents it filled in, or -errno. */
  #call(fd: number, request: number, start: number): number {
    const words = this.#words;
    words[0] = start;
    words[1] = start / TWO_32;
    // FIEMAP_MAX_OFFSET less the start: the kernel refuses a range that wraps around.
    words[2] = 0xffffffff - words[0];
    words[3] = 0xffffffff - words[1];
    words[4] = 0;
    words[5] = 0;
    words[6] = EXTENTS_PER_CALL;
    words[7] = 0;
    const result = this.#sys.ioctl(fd, request, this.#address);
    return result < 0 ? result : words[5];
  }

  /** Adds extents `first` to `end` of the buffer to `extents`, merged; returns the flags of the last one. */
  #append(extents: CacheExtent[], first: number, end: number): number {
    const words = this.#words;
    const blocks = 1 / this.#bytesPerBlock;
    let flags = 0;
    for (let i = first; i < end; i++) {
      const at = HEADER_WORDS + i * EXTENT_WORDS;
      const lblk = (words[at + 1]! * TWO_32 + words[at]!) * blocks;
      const len = (words[at + 5]! * TWO_32 + words[at + 4]!) * blocks;
      flags = words[at + 10]!;
      appendMerged(extents, lblk, len, stateOf(flags));
    }
    return flags;
  }
}
