/**
 * The kernel under test as a Subject: a fresh file per case on a kept mount, system calls in process, and a look at
 * everything an Observation holds after each one.
 *
 * The probes run in this order: the extent status cache first, because FIEMAP fills it; FIEMAP; statx; the counter of
 * blocks reserved for delayed allocation. None of them changes what the others or the next operation see, but for
 * that filling, which happens after every operation and so is the same in every run.
 */
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { patternTag } from "../../model/pattern.ts";
import { EnvironmentError } from "../failure.ts";
import type { CacheExtent, Observation } from "../observation.ts";
import { type FallocateMode, MAX_IO_BYTES, type Operation, clampOperation } from "../operation.ts";
import type { Subject } from "../subject.ts";
import { ExtentReader } from "./fiemap.ts";
import type { MountedImage } from "./image.ts";
import * as sys from "./syscalls.ts";
import { userBuffer } from "./user-buffer.ts";

/** fallocate(2) flags of each mode. Punching and collapsing hold the size by their nature; punching must say so. */
const FALLOCATE_FLAGS: Record<FallocateMode, number> = {
  allocate: 0,
  keep_size: sys.FALLOC_FL_KEEP_SIZE,
  punch_hole: sys.FALLOC_FL_PUNCH_HOLE | sys.FALLOC_FL_KEEP_SIZE,
  zero_range: sys.FALLOC_FL_ZERO_RANGE,
  zero_range_keep_size: sys.FALLOC_FL_ZERO_RANGE | sys.FALLOC_FL_KEEP_SIZE,
  collapse_range: sys.FALLOC_FL_COLLAPSE_RANGE,
  insert_range: sys.FALLOC_FL_INSERT_RANGE,
};

const SYNC_AND_WAIT =
  sys.SYNC_FILE_RANGE_WAIT_BEFORE | sys.SYNC_FILE_RANGE_WRITE | sys.SYNC_FILE_RANGE_WAIT_AFTER;

/** A file that `keep` left behind for a checkpoint. */
export interface KeptFile {
  path: string;
  ino: number;
}

/** struct statx (include/uapi/linux/stat.h) as 32-bit words: where the fields that are read lie. */
const STATX_BYTES = 256;
const STX_INO_WORD = 8;
const STX_SIZE_WORD = 10;
const STX_BLOCKS_WORD = 12;
const TWO_32 = 2 ** 32;

const COUNTER_BYTES = 32;
/** More digits than any number of blocks has. */
const MAX_COUNTER_DIGITS = 15;
const ASCII_ZERO = 48;

/** Kept scratch memory: the bytes of a pread, a struct statx, the counter's text. */
const STATX_AT = MAX_IO_BYTES;
const COUNTER_AT = STATX_AT + STATX_BYTES;
const SCRATCH_BYTES = COUNTER_AT + COUNTER_BYTES;

export class KernelSubject implements Subject {
  readonly name: string;
  readonly #image: MountedImage;
  readonly #calls = sys.syscalls();
  readonly #user = userBuffer();
  readonly #extents: ExtentReader;
  readonly #pageBytes: number;
  readonly #scratch: number;
  readonly #bytes: Uint8Array;
  readonly #statx: Uint32Array;
  #cacheIoctl = true;
  #cases = 0;
  #path = "";
  #fd = -1;
  #counterFd = -1;
  #counterMount = 0;
  #reservedBefore = 0;
  #i_size = 0;
  #read: Uint8Array | undefined;

  constructor(image: MountedImage) {
    this.name = `kernel ${image.variant.name}`;
    this.#image = image;
    this.#extents = new ExtentReader(image.variant.blockSize);
    this.#pageBytes = this.#calls.getpagesize();
    const { address, buffer } = sys.keptMemory(SCRATCH_BYTES);
    this.#scratch = address;
    this.#bytes = new Uint8Array(buffer);
    this.#statx = new Uint32Array(buffer, STATX_AT, STATX_BYTES / 4);
  }

  begin(): void {
    this.end();
    this.#openCounter();
    this.#reservedBefore = this.#reservedBlocks();
    this.#path = join(this.#image.mountPoint, `case-${this.#cases++}`);
    const flags = sys.O_RDWR | sys.O_CREAT | sys.O_EXCL | sys.O_CLOEXEC;
    this.#fd = sys.mustSucceed(this.#calls.open(this.#path, flags, 0o600), `open ${this.#path}`);
    // Read-ahead would fill the page cache with folios, and large ones, that no operation asked for.
    const advice = this.#calls.posix_fadvise(this.#fd, 0, 0, sys.POSIX_FADV_RANDOM);
    sys.mustSucceed(advice, "posix_fadvise(RANDOM)");
    this.#i_size = 0;
  }

  step(operation: Operation, index: number): Observation {
    this.#read = undefined;
    const clamped = clampOperation(operation, this.#i_size);
    const result = clamped === undefined ? 0 : this.#apply(clamped, patternTag(index));
    if (result === -sys.EBADF) throw brokenHarness(`${operation.op} returned EBADF`);
    return this.#observe(result);
  }

  end(): void {
    if (this.#fd < 0) return;
    this.#close();
    sys.mustSucceed(this.#calls.unlink(this.#path), `unlink ${this.#path}`);
  }

  /** End the case but leave its file for a checkpoint. */
  keep(): KeptFile {
    this.#stat(sys.STATX_INO);
    const ino = this.#statxField(STX_INO_WORD);
    this.#close();
    return { path: this.#path, ino };
  }

  /** Close every descriptor into the file system, so that it can be unmounted; ends the case. */
  release(): void {
    this.end();
    if (this.#counterFd >= 0) closeSync(this.#counterFd);
    this.#counterFd = -1;
  }

  #close(): void {
    sys.mustSucceed(this.#calls.close(this.#fd), "close");
    this.#fd = -1;
  }

  #apply(o: Operation, tag: number): number {
    const calls = this.#calls;
    switch (o.op) {
      case "pwrite":
        return calls.pwrite(this.#fd, this.#user.address(tag, o.readable), o.len, o.pos);
      case "mmap_write":
        return this.#store(o.pos, o.len, tag);
      case "pread":
        return this.#pread(o.pos, o.len);
      case "fsync":
        return calls.fsync(this.#fd);
      case "sync_file_range":
        return calls.sync_file_range(this.#fd, o.pos, o.len, SYNC_AND_WAIT);
      case "ftruncate":
        return calls.ftruncate(this.#fd, o.size);
      case "fallocate":
        return calls.fallocate(this.#fd, FALLOCATE_FLAGS[o.mode], o.pos, o.len);
      case "drop_cache": {
        const result = calls.fsync(this.#fd);
        return result < 0 ? result : calls.posix_fadvise(this.#fd, 0, 0, sys.POSIX_FADV_DONTNEED);
      }
    }
  }

  #pread(pos: number, len: number): number {
    const result = this.#calls.pread(this.#fd, this.#scratch, len, pos);
    // A copy: the next pread overwrites the scratch memory.
    if (result >= 0) this.#read = this.#bytes.slice(0, result);
    return result;
  }

  /**
   * Stores through a shared mapping. Returns 0 where every byte was stored, else -EFAULT, where a program's own store
   * would have died of SIGBUS (ENOSPC in ext4_page_mkwrite).
   */
  #store(pos: number, len: number, tag: number): number {
    const calls = this.#calls;
    const start = pos - (pos % this.#pageBytes);
    const bytes = pos + len - start;
    const access = sys.PROT_READ | sys.PROT_WRITE;
    const address = calls.mmap(0, bytes, access, sys.MAP_SHARED, this.#fd, start);
    if (address < 0) return address;
    // As with the descriptor: a fault must bring in its own page, not the ones around it.
    calls.madvise(address, bytes, sys.MADV_RANDOM);
    const at = address + pos - start;
    const source = this.#user.file();
    const stored = calls.pread(source, at, len, this.#user.fileOffset(tag, len));
    sys.mustSucceed(calls.munmap(address, bytes), "munmap");
    return stored === len ? 0 : -sys.EFAULT;
  }

  #observe(result: number): Observation {
    const cache = this.#cacheIoctl ? this.#cache() : undefined;
    const map = this.#extents.map(this.#fd);
    if (typeof map === "number") throw brokenHarness(`FS_IOC_FIEMAP failed with errno ${-map}`);
    const { pieces } = this.#extents;
    this.#stat(sys.STATX_SIZE | sys.STATX_BLOCKS);
    this.#i_size = this.#statxField(STX_SIZE_WORD);
    const st_blocks = this.#statxField(STX_BLOCKS_WORD);
    const reserved = this.#reservedBlocks() - this.#reservedBefore;
    const read = this.#read;
    return { result, i_size: this.#i_size, st_blocks, map, pieces, reserved, cache, read };
  }

  #cache(): CacheExtent[] | undefined {
    const cache = this.#extents.cache(this.#fd);
    if (typeof cache !== "number") return cache;
    if (cache !== -sys.ENOTTY) {
      throw brokenHarness(`EXT4_IOC_GET_ES_CACHE failed with errno ${-cache}`);
    }
    this.#cacheIoctl = false;
    return undefined;
  }

  #stat(mask: number): void {
    const calls = this.#calls;
    const result = calls.statx(this.#fd, "", sys.AT_EMPTY_PATH, mask, this.#scratch + STATX_AT);
    sys.mustSucceed(result, "statx");
  }

  #statxField(word: number): number {
    return this.#statx[word + 1]! * TWO_32 + this.#statx[word]!;
  }

  #openCounter(): void {
    if (this.#counterFd >= 0 && this.#counterMount === this.#image.mounts) return;
    if (this.#counterFd >= 0) closeSync(this.#counterFd);
    this.#counterFd = openSync(join(this.#image.sysfs, "delayed_allocation_blocks"), "r");
    this.#counterMount = this.#image.mounts;
  }

  /**
   * Blocks reserved for delayed allocation in the whole file system (fs/ext4/sysfs.c sums the per-CPU counter exactly).
   * Nobody else writes to this one, so less its value before the case it is what the case's file holds.
   */
  #reservedBlocks(): number {
    const at = this.#scratch + COUNTER_AT;
    const result = this.#calls.pread(this.#counterFd, at, COUNTER_BYTES, 0);
    const end = COUNTER_AT + sys.mustSucceed(result, "pread of delayed_allocation_blocks") - 1;
    if (end - COUNTER_AT > MAX_COUNTER_DIGITS) {
      // Printed unsigned: a counter that went below zero, which is a finding and must not be rounded away.
      const text = String.fromCharCode(...this.#bytes.subarray(COUNTER_AT, end));
      return Number(BigInt.asIntN(64, BigInt(text)));
    }
    let blocks = 0;
    for (let i = COUNTER_AT; i < end; i++) blocks = blocks * 10 + this.#bytes[i]! - ASCII_ZERO;
    return blocks;
  }
}

function brokenHarness(message: string): EnvironmentError {
  return new EnvironmentError(
    "process-failed",
    message,
    "No other process may touch the tool's files; look at the kernel log (dmesg) for an error of the file system.",
  );
}
