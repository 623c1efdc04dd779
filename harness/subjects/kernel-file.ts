/**
 * The file under test and the calls on it, without what their answers mean: one method that
 * performs an operation, and raw looks at what the kernel shows. `kernel-subject.ts` reads the
 * answers; the benchmark takes them as they are, to learn what the calls alone cost.
 */
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import type { OpenFile } from "../aspects/on-kernel.ts";
import { MAX_IO_BYTES } from "../case/limits.ts";
import { callOnKernel } from "../operations/on-kernel.ts";
import { effectsOf, failNthOf, isStarved, meetsDevice } from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";
import type { MountedImage } from "./image.ts";
import { sleepSync } from "../system/sleep.ts";
import { failNth } from "../system/fail-nth.ts";
import { mustLook } from "./look-failed.ts";
import * as sys from "../system/syscalls.ts";
import { trim, writeMetadata } from "./thin.ts";
import { userBuffer } from "../system/user-buffer.ts";

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

/** Milliseconds within which a file that was removed is gone, on a machine that is busy. */
const EVICTION_MS = 1000;

/** A file that is open. */
interface Opened {
  readonly path: string;
  readonly fd: number;
  /** The same file with O_DIRECT; -1 until something asks for it. */
  directFd: number;
}

export class KernelFile implements OpenFile {
  readonly #image: MountedImage;
  readonly calls = sys.syscalls();
  readonly user = userBuffer();
  readonly memory: number;
  readonly #bytes: Uint8Array;
  readonly #statx: Uint32Array;
  #cases = 0;
  /** The case's files; undefined until something is about it. */
  #files: (Opened | undefined)[] = [];
  /** Which of them it is at. */
  #at: 0 | 1 = 0;
  #counterFd = -1;
  #counterMount = 0;
  /** Blocks that files of this mount which were kept have reserved. */
  #kept = 0;
  /** Blocks that the case's other file had reserved when it was left. */
  #othersReserved = 0;

  constructor(image: MountedImage) {
    this.#image = image;
    const { address, buffer } = sys.keptMemory(SCRATCH_BYTES);
    this.memory = address;
    this.#bytes = new Uint8Array(buffer);
    this.#statx = new Uint32Array(buffer, STATX_AT, STATX_BYTES / 4);
  }

  /** Blocks that files which were kept have reserved: none, but for a deviation. */
  get keptReservation(): number {
    return this.#kept;
  }

  /** Where it lies. */
  get path(): string {
    return this.#file.path;
  }

  /** Its descriptor. */
  get fd(): number {
    return this.#file.fd;
  }

  fdOf(file: 0 | 1): number {
    return this.#opened(file).fd;
  }

  get #file(): Opened {
    return this.#opened(this.#at);
  }

  /** One of the case's files: the first time that is a new one. */
  #opened(file: 0 | 1): Opened {
    return (this.#files[file] ??= this.#create(this.#newPath()));
  }

  /** A fresh, empty file for a case that takes `files` in all; the one before is removed. */
  begin(files = 1): void {
    this.end();
    if (!this.#image.hasFiles(files)) {
      this.#closeCounter();
      this.#image.remount(files);
      // Only while a case is shrunk or replayed: what unmounting says of kept files is a
      // checkpoint's business.
      this.#image.kernelLog?.records();
    }
    this.#openCounter();
    this.#awaitEviction(this.#kept);
    this.#opened(0);
  }

  #newPath(): string {
    return join(this.#image.mountPoint, `case-${this.#cases++}`);
  }

  /** A new, empty file. */
  #create(path: string): Opened {
    const older = this.#image.takeFile(path);
    const fd = this.#ready(older ?? this.calls.open(path, sys.NEW_FILE, 0o600), path);
    return { path, fd, directFd: -1 };
  }

  /** The descriptor that opening a file gave. */
  #ready(result: sys.Result, path: string): number {
    const fd = mustLook(result, `open ${path}`);
    // Read-ahead would fill the page cache with folios, and large ones, that no operation asked
    // for.
    const advice = this.calls.posix_fadvise(fd, 0, 0, sys.POSIX_FADV_RANDOM);
    sys.mustSucceed(advice, "posix_fadvise(RANDOM)");
    return fd;
  }

  get directFd(): number {
    const file = this.#file;
    if (file.directFd < 0) {
      const flags = sys.O_RDWR | sys.O_DIRECT | sys.O_CLOEXEC;
      file.directFd = this.#ready(this.calls.open(file.path, flags, 0), file.path);
    }
    return file.directFd;
  }

  /** Close and remove the case's files. */
  end(): void {
    this.#remove(this.#at);
    this.#remove(this.#at === 0 ? 1 : 0);
    this.#at = 0;
  }

  #remove(at: 0 | 1): void {
    const file = this.#files[at];
    if (file === undefined) return;
    this.#files[at] = undefined;
    if (at !== this.#at) this.#othersReserved = 0;
    this.#close(file);
    mustLook(this.calls.unlink(file.path), `unlink ${file.path}`);
  }

  /** Go on with that file of the case. */
  turnTo(file: 0 | 1): void {
    if (file === this.#at) return;
    this.#othersReserved = this.#ownReserved();
    this.#at = file;
  }

  /** Remove the file and go on with a new one of its name. What unlink(2) returned, or -errno. */
  again(): number {
    const file = this.#file;
    const result = this.calls.unlink(file.path);
    if (result < 0) return result;
    this.#close(file);
    this.#awaitEviction(this.#kept + this.#othersReserved);
    this.#files[this.#at] = this.#create(file.path);
    return 0;
  }

  /**
   * Wait until what files that are gone had reserved is given back, so that `expected` blocks are.
   * Mostly that is done within close(2) and unlink(2), but the last reference to a file may be a
   * kernel thread's: traced on 7.3, after direct I/O its inode was evicted by a worker, a tick of
   * 10 ms later (fs/file_table.c delayed_fput()). What is not given back then is in the next
   * observation, as more than the file has.
   */
  #awaitEviction(expected: number): void {
    for (let waited = 0; waited < EVICTION_MS && this.reservedBlocks() > expected; waited++) {
      sleepSync(1);
    }
  }

  /**
   * Wait for what is on its way to the device. An error that this finds is not said again
   * (sync_file_range(2)).
   */
  awaitWriteback(): void {
    this.calls.sync_file_range(this.fd, 0, 0, sys.SYNC_FILE_RANGE_WAIT_BEFORE);
  }

  /** Close it but leave it in place. */
  keep(): KeptFile {
    this.stat(sys.STATX_INO);
    const ino = this.#statxField(STX_INO_WORD);
    // Too few where the other file was written back since it was left.
    const own = Math.max(0, this.#ownReserved());
    const file = this.#file;
    this.#files[this.#at] = undefined;
    this.#remove(this.#at === 0 ? 1 : 0);
    // A deviation may have left it a reservation, which goes with the inode.
    this.#kept += own;
    this.#awaitEviction(this.#kept);
    this.#close(file);
    this.#at = 0;
    return { path: file.path, ino };
  }

  /** Blocks that the current file has reserved. */
  #ownReserved(): number {
    return this.reservedBlocks() - this.#kept - this.#othersReserved;
  }

  /** Close every descriptor into the file system, so that it can be unmounted; ends the case. */
  release(): void {
    this.#closeCounter();
    this.end();
  }

  #close({ fd, directFd }: Opened): void {
    if (directFd >= 0) sys.mustSucceed(this.calls.close(directFd), "close");
    sys.mustSucceed(this.calls.close(fd), "close");
  }

  /**
   * Perform an operation as it is, writing the bytes of region `tag`, while the device has no room
   * where it says so. What it returned, or -errno: which errno stands for refused data depends on
   * the loop device (drivers/block/loop.c: EIO until 6.15, and since then what the file system
   * below it says), so EIO stands for both.
   */
  call(o: Operation, tag: number): number {
    const { pool, loopDevice } = this.#image;
    const nth = failNthOf(o);
    if (nth !== undefined) return this.#withoutMemory(nth, o, tag);
    if (pool === undefined) return callOnKernel(this, o, tag);
    let result: number;
    if (isStarved(o)) {
      // What an operation opens and maps is there already.
      if (effectsOf(o).direct === true) void this.directFd;
      trim(this.fd);
      writeMetadata(loopDevice);
      result = pool.withoutRoom(() => callOnKernel(this, o, tag));
    } else {
      result = callOnKernel(this, o, tag);
    }
    return result === -sys.ENOSPC && meetsDevice(o) ? -sys.EIO : result;
  }

  #withoutMemory(nth: number, o: Operation, tag: number): number {
    const fails = failNth();
    if (fails === undefined) throw new Error("fail_nth was asked for without fault injection");
    // What it costs to update the mtime would hang on the clock: a time that somebody has seen
    // changes always (fs/inode.c, 6.13).
    this.stat(sys.STATX_MTIME | sys.STATX_CTIME);
    return fails.during(nth, () => callOnKernel(this, o, tag));
  }

  /** A copy of what the last pread returned, `len` bytes: the next one overwrites the memory. */
  bytesRead(len: number): Uint8Array {
    return this.#bytes.slice(0, len);
  }

  /** statx(2), for `i_size` and `st_blocks` below. */
  stat(mask: number): void {
    const calls = this.calls;
    const result = calls.statx(this.fd, "", sys.AT_EMPTY_PATH, mask, this.memory + STATX_AT);
    mustLook(result, "statx");
  }

  /** Bytes, as of the last `stat`. */
  get i_size(): number {
    return this.#statxField(STX_SIZE_WORD);
  }

  /** 512-byte units, as of the last `stat`. */
  get st_blocks(): number {
    return this.#statxField(STX_BLOCKS_WORD);
  }

  #statxField(word: number): number {
    return this.#statx[word + 1]! * TWO_32 + this.#statx[word]!;
  }

  #openCounter(): void {
    if (this.#counterFd >= 0 && this.#counterMount === this.#image.mounts) return;
    this.#closeCounter();
    this.#counterFd = openSync(join(this.#image.sysfs, "delayed_allocation_blocks"), "r");
    this.#counterMount = this.#image.mounts;
    this.#kept = 0;
  }

  #closeCounter(): void {
    if (this.#counterFd >= 0) closeSync(this.#counterFd);
    this.#counterFd = -1;
  }

  /**
   * Reads the counter of `reservedBlocks` into the scratch memory; returns the length of its text.
   */
  readCounter(): number {
    const at = this.memory + COUNTER_AT;
    const result = this.calls.pread(this.#counterFd, at, COUNTER_BYTES, 0);
    return sys.mustSucceed(result, "pread of delayed_allocation_blocks");
  }

  /**
   * Blocks reserved for delayed allocation in the whole file system (fs/ext4/sysfs.c sums the
   * per-CPU counter exactly). Nobody else writes to this one, so less its value before the case it
   * is what the case's file holds.
   */
  reservedBlocks(): number {
    const end = COUNTER_AT + this.readCounter() - 1;
    if (end - COUNTER_AT > MAX_COUNTER_DIGITS) {
      // Printed unsigned: a counter that went below zero, which is a finding and must not be
      // rounded away.
      const text = String.fromCharCode(...this.#bytes.subarray(COUNTER_AT, end));
      return Number(BigInt.asIntN(64, BigInt(text)));
    }
    let blocks = 0;
    for (let i = COUNTER_AT; i < end; i++) blocks = blocks * 10 + this.#bytes[i]! - ASCII_ZERO;
    return blocks;
  }
}
