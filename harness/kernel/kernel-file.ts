/**
 * The file under test and the calls on it, without what their answers mean: one method that
 * performs an operation, and raw looks at what the kernel shows. `kernel-subject.ts` reads the
 * answers; the benchmark takes them as they are, to learn what the calls alone cost.
 */
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import {
  type FallocateMode,
  MAX_IO_BYTES,
  type SingleCall,
  MAX_PIECES,
  isPlainWrite,
  failNthOf,
  isStarved,
  meetsDevice,
  type Operation,
} from "../operations/operation.ts";
import { directBytes } from "../../model/include/pattern.ts";
import type { MountedImage } from "./image.ts";
import { sleepSync } from "../sleep.ts";
import { failNth } from "./fail-nth.ts";
import { mustLook } from "./look-failed.ts";
import { pausedWriter } from "./paused-writer.ts";
import * as sys from "./syscalls.ts";
import { trim, writeMetadata } from "./thin.ts";
import { userBuffer } from "./user-buffer.ts";

/**
 * fallocate(2) flags of each mode. Punching and collapsing hold the size by their nature; punching
 * must say so.
 */
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
/** struct iovec: address and length. */
const IOV_AT = COUNTER_AT + COUNTER_BYTES;
/** Two struct rlimit: soft and hard. */
const LIMITS_AT = IOV_AT + 16 * (MAX_PIECES + 1);
const SCRATCH_BYTES = LIMITS_AT + 32;

/** Lengths of the pieces of the buffer of a write, which add up to its length. */
function piecesOf({
  len,
  iov = [],
}: {
  len: number;
  iov?: readonly number[] | undefined;
}): number[] {
  const pieces: number[] = [];
  let left = len;
  for (const wanted of iov) {
    const length = Math.min(wanted, left);
    pieces.push(length);
    left -= length;
  }
  return [...pieces, left];
}

let takesNoSignal = false;

/**
 * A write past the limit of the process sends SIGXFSZ, which ends it where nobody takes the signal.
 */
function takeNoSignal(): void {
  if (takesNoSignal) return;
  takesNoSignal = true;
  process.on("SIGXFSZ", () => {});
}

/** Milliseconds within which a file that was removed is gone, on a machine that is busy. */
const EVICTION_MS = 1000;

export class KernelFile {
  readonly #image: MountedImage;
  readonly #calls = sys.syscalls();
  readonly #user = userBuffer();
  readonly #pageBytes: number;
  readonly #scratch: number;
  readonly #bytes: Uint8Array;
  readonly #statx: Uint32Array;
  readonly #iov: BigUint64Array;
  readonly #limits: BigUint64Array;
  #cases = 0;
  #path = "";
  #fd = -1;
  /** The same file with O_DIRECT, where something asked for it. */
  #directFd = -1;
  /** The other file of the case; undefined until it is asked for. */
  #other: { path: string; fd: number; directFd: number } | undefined;
  #counterFd = -1;
  #counterMount = 0;
  /** Blocks that files of this mount which were kept have reserved. */
  #kept = 0;
  /** Blocks that the case's other file had reserved when it was left. */
  #othersReserved = 0;

  constructor(image: MountedImage) {
    this.#image = image;
    this.#pageBytes = this.#calls.getpagesize();
    const { address, buffer } = sys.keptMemory(SCRATCH_BYTES);
    this.#scratch = address;
    this.#bytes = new Uint8Array(buffer);
    this.#statx = new Uint32Array(buffer, STATX_AT, STATX_BYTES / 4);
    this.#iov = new BigUint64Array(buffer, IOV_AT, 2 * (MAX_PIECES + 1));
    this.#limits = new BigUint64Array(buffer, LIMITS_AT, 4);
  }

  /** Blocks that files which were kept have reserved: none, but for a deviation. */
  get keptReservation(): number {
    return this.#kept;
  }

  /** Where it lies. */
  get path(): string {
    return this.#path;
  }

  /** Its descriptor. */
  get fd(): number {
    return this.#fd;
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
    this.#path = this.#newPath();
    this.#fd = this.#create(this.#path);
  }

  #newPath(): string {
    return join(this.#image.mountPoint, `case-${this.#cases++}`);
  }

  /** A new, empty file. */
  #create(path: string): number {
    const older = this.#image.takeFile(path);
    return this.#opened(older ?? this.#calls.open(path, sys.NEW_FILE, 0o600), path);
  }

  /** The descriptor that opening a file gave. */
  #opened(result: sys.Result, path: string): number {
    const fd = mustLook(result, `open ${path}`);
    // Read-ahead would fill the page cache with folios, and large ones, that no operation asked
    // for.
    const advice = this.#calls.posix_fadvise(fd, 0, 0, sys.POSIX_FADV_RANDOM);
    sys.mustSucceed(advice, "posix_fadvise(RANDOM)");
    return fd;
  }

  #direct(): number {
    if (this.#directFd < 0) {
      const flags = sys.O_RDWR | sys.O_DIRECT | sys.O_CLOEXEC;
      this.#directFd = this.#opened(this.#calls.open(this.#path, flags, 0), this.#path);
    }
    return this.#directFd;
  }

  /** Close and remove it, and the case's other file. */
  end(): void {
    if (this.#fd >= 0) {
      this.#close();
      mustLook(this.#calls.unlink(this.#path), `unlink ${this.#path}`);
    }
    this.#removeOther();
  }

  /** Go on with the case's other file; the first time that is a new one. */
  change(): void {
    if (this.#other === undefined) {
      const path = this.#newPath();
      this.#other = { path, fd: this.#create(path), directFd: -1 };
    }
    const { path, fd, directFd } = this.#other;
    this.#othersReserved = this.#ownReserved();
    this.#other = { path: this.#path, fd: this.#fd, directFd: this.#directFd };
    [this.#path, this.#fd, this.#directFd] = [path, fd, directFd];
  }

  /** Remove the file and go on with a new one of its name. What unlink(2) returned, or -errno. */
  again(): number {
    const result = this.#calls.unlink(this.#path);
    if (result < 0) return result;
    this.#close();
    this.#awaitEviction(this.#kept + this.#othersReserved);
    this.#fd = this.#create(this.#path);
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
    this.#calls.sync_file_range(this.#fd, 0, 0, sys.SYNC_FILE_RANGE_WAIT_BEFORE);
  }

  /** Close it but leave it in place. */
  keep(): KeptFile {
    this.stat(sys.STATX_INO);
    const ino = this.#statxField(STX_INO_WORD);
    const own = this.#ownReserved();
    this.#removeOther();
    // A deviation may have left it a reservation, which goes with the inode.
    this.#kept += own;
    this.#awaitEviction(this.#kept);
    this.#close();
    return { path: this.#path, ino };
  }

  /** Blocks that the current file has reserved. */
  #ownReserved(): number {
    return this.reservedBlocks() - this.#kept - this.#othersReserved;
  }

  #removeOther(): void {
    if (this.#other === undefined) return;
    const { path, fd, directFd } = this.#other;
    this.#other = undefined;
    this.#othersReserved = 0;
    if (directFd >= 0) sys.mustSucceed(this.#calls.close(directFd), "close");
    sys.mustSucceed(this.#calls.close(fd), "close");
    mustLook(this.#calls.unlink(path), `unlink ${path}`);
  }

  /** Close every descriptor into the file system, so that it can be unmounted; ends the case. */
  release(): void {
    this.#closeCounter();
    this.end();
  }

  #close(): void {
    if (this.#directFd >= 0) sys.mustSucceed(this.#calls.close(this.#directFd), "close");
    this.#directFd = -1;
    sys.mustSucceed(this.#calls.close(this.#fd), "close");
    this.#fd = -1;
  }

  /** A write that sleeps while `asleep` runs (paused-writer.ts). What it returned, or -errno. */
  pausedWrite(
    { pos, len, pause_at }: { pos: number; len: number; pause_at: number },
    tag: number,
    asleep: () => boolean,
  ): number {
    const writer = pausedWriter();
    if (writer === undefined) throw new Error("a paused write was asked for without userfaultfd");
    return writer.write({ fd: this.#fd, pos, len, pause_at, tag }, asleep);
  }

  /**
   * Perform an operation as it is, writing the bytes of region `tag`, while the device has no room
   * where it says so. What it returned, or -errno: which errno stands for refused data depends on
   * the loop device (drivers/block/loop.c: EIO until 6.15, and since then what the file system
   * below it says), so EIO stands for both.
   */
  call(o: SingleCall, tag: number): number {
    const { pool, loopDevice } = this.#image;
    const nth = failNthOf(o);
    if (nth !== undefined) return this.#withoutMemory(nth, o, tag);
    if (pool === undefined) return this.#call(o, tag);
    let result: number;
    if (isStarved(o)) {
      // What an operation opens and maps is there already.
      if (o.op === "direct_write") this.#direct();
      trim(this.#fd);
      writeMetadata(loopDevice);
      result = pool.withoutRoom(() => this.#call(o, tag));
    } else {
      result = this.#call(o, tag);
    }
    return result === -sys.ENOSPC && meetsDevice(o) ? -sys.EIO : result;
  }

  #withoutMemory(nth: number, o: SingleCall, tag: number): number {
    const fails = failNth();
    if (fails === undefined) throw new Error("fail_nth was asked for without fault injection");
    // What it costs to update the mtime would hang on the clock: a time that somebody has seen
    // changes always (fs/inode.c, 6.13).
    this.stat(sys.STATX_MTIME | sys.STATX_CTIME);
    return fails.during(nth, () => this.#call(o, tag));
  }

  #call(o: SingleCall, tag: number): number {
    const calls = this.#calls;
    switch (o.op) {
      case "pwrite":
        return isPlainWrite(o)
          ? calls.pwrite(this.#fd, this.#user.address(tag, o.readable), o.len, o.pos)
          : this.#pwritev2(o, tag);
      case "mmap_write":
        return this.#store(o.pos, o.len, tag);
      case "pread":
        return calls.pread(this.#fd, this.#scratch, o.len, o.pos);
      case "direct_write": {
        const address = this.#user.address(tag, directBytes(o.readable));
        return calls.pwrite(this.#direct(), address, o.len, o.pos);
      }
      case "direct_read":
        return calls.pread(this.#direct(), this.#scratch, o.len, o.pos);
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

  /**
   * pwritev2(2), with a limit of the process where one is asked for. The pieces of the buffer lie
   * side by side as far as they can be read; the first byte that cannot is where memory ends, and
   * the pieces after it are elsewhere, where all of them can.
   */
  #pwritev2(o: Extract<Operation, { op: "pwrite" }>, tag: number): number {
    const calls = this.#calls;
    const { readable, append, sync } = o;
    const base = this.#user.address(tag, readable);
    const pieces = piecesOf(o);
    let at = 0;
    for (const [index, length] of pieces.entries()) {
      const beyond = at > readable;
      const address = beyond ? this.#user.address(tag, length) : base + at;
      this.#iov[2 * index] = BigInt(address);
      this.#iov[2 * index + 1] = BigInt(length);
      at += length;
    }
    const flags =
      (append === true ? sys.RWF_APPEND : 0) |
      (sync === "data" ? sys.RWF_DSYNC : sync === "all" ? sys.RWF_SYNC : 0);
    // The position of an append is not looked at: any but -1, which is the descriptor's own.
    const pos = append === true ? 0 : o.pos;
    const write = (): number =>
      calls.pwritev2(this.#fd, this.#scratch + IOV_AT, pieces.length, pos, flags);
    return o.limit === undefined ? write() : this.#limited(o.limit, write);
  }

  /**
   * `write` while files of this process may have `limit` bytes. It must not die of SIGXFSZ: the
   * signal is taken and forgotten.
   */
  #limited(limit: number, write: () => number): number {
    takeNoSignal();
    const [before, during] = [this.#scratch + LIMITS_AT, this.#scratch + LIMITS_AT + 16];
    sys.mustSucceed(this.#calls.getrlimit(sys.RLIMIT_FSIZE, before), "getrlimit");
    this.#limits[2] = BigInt(limit);
    this.#limits[3] = this.#limits[1]!;
    sys.mustSucceed(this.#calls.setrlimit(sys.RLIMIT_FSIZE, during), "setrlimit");
    const result = write();
    sys.mustSucceed(this.#calls.setrlimit(sys.RLIMIT_FSIZE, before), "setrlimit");
    return result;
  }

  /** A copy of what the last pread returned, `len` bytes: the next one overwrites the memory. */
  bytesRead(len: number): Uint8Array {
    return this.#bytes.slice(0, len);
  }

  /**
   * Stores through a shared mapping. Returns 0 where every byte was stored, else -EFAULT, where a
   * program's own store would have died of SIGBUS (ENOSPC in ext4_page_mkwrite).
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

  /** statx(2), for `i_size` and `st_blocks` below. */
  stat(mask: number): void {
    const calls = this.#calls;
    const result = calls.statx(this.#fd, "", sys.AT_EMPTY_PATH, mask, this.#scratch + STATX_AT);
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
    const at = this.#scratch + COUNTER_AT;
    const result = this.#calls.pread(this.#counterFd, at, COUNTER_BYTES, 0);
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
