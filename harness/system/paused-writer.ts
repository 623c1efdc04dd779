/**
 * A write that is paused inside the kernel, at a chosen byte: the memory from there on is not there
 * yet, and userfaultfd lets us decide when it is. While the writer sleeps, others work on the file.
 *
 * The writer holds the inode's lock (i_rwsem), no folio and no transaction. So what takes that lock
 * must not be called meanwhile: write, ftruncate, fallocate, FIEMAP, EXT4_IOC_GET_ES_CACHE. fsync,
 * sync_file_range, stores through a mapping, reads and posix_fadvise do not take it (measured on
 * 6.18, 7.3).
 *
 * Nothing can sleep for ever: closing the descriptor of userfaultfd, which the end of the process
 * does, wakes the writer.
 *
 * Source: userfaultfd(2), ioctl_userfaultfd(2), include/uapi/linux/userfaultfd.h; fs/userfaultfd.c
 *           userfaultfd_release().
 */
import { Worker } from "node:worker_threads";
import { PATTERN_BYTES, pattern, patternOffset } from "../../model/include/pattern.ts";
import { MAX_IO_BYTES } from "../case/limits.ts";
import { koffiPath } from "./koffi.ts";
import * as sys from "./syscalls.ts";
import { undoAtExit } from "./undo.ts";

const UFFD_API = 0xaa;
const UFFDIO_API = 0xc018aa3f;
const UFFDIO_REGISTER = 0xc020aa00;
const UFFDIO_WAKE = 0x8010aa02;
const UFFDIO_COPY = 0xc028aa03;
const UFFDIO_REGISTER_MODE_MISSING = 1;
const O_NONBLOCK = 0o4000;

/** Bytes of scratch memory for the arguments of ioctls and of poll. */
const ARGS_BYTES = 128;
/** struct uffd_msg */
const MESSAGE_BYTES = 32;
const POLLIN = 1;

/** What the two threads share, as 32-bit words. */
const STATE = 0;
const WORDS = 2;
const IDLE = 0;
const ASKED = 1;

/** Doubles behind the words: fd, address, len, pos, processor, and the result. */
const FD = 0;
const ADDRESS = 1;
const LEN = 2;
const POS = 3;
const CPU = 4;
const RESULT = 5;
const DOUBLES = 6;

/** Bytes of a cpu_set_t. */
const CPU_SET_BYTES = 128;

/**
 * The program of the writing thread, as text: it must be one file, wherever the tool was packed to.
 * It waits, writes, says what came of it, and rings a bell (eventfd) that poll can wait for
 * together with userfaultfd.
 *
 * It writes on the processor of who asked: a new page is held by the processor that has brought it
 * in, until that adds it to its lists (mm/swap.c folio_add_lru()). Waiting for writeback has this
 * one do so, and not another; what is held is not dropped from memory.
 */
const WRITER = `
const { workerData: { shared, bell, koffiPath } } = require("node:worker_threads");
const koffi = require(koffiPath);
const libc = koffi.load(null);
const pwrite = libc.func("pwrite", "int64_t", ["int", "uint64_t", "uint64_t", "int64_t"]);
const ring = libc.func("eventfd_write", "int", ["int", "uint64_t"]);
const runOn = libc.func("sched_setaffinity", "int", ["int", "size_t", "uint8_t *"]);
const words = new Int32Array(shared, 0, ${WORDS});
const numbers = new Float64Array(shared, ${WORDS * 4}, ${DOUBLES});
let at = -1;
for (;;) {
  Atomics.wait(words, ${STATE}, ${IDLE});
  if (numbers[${CPU}] !== at) {
    at = numbers[${CPU}];
    const cpus = new Uint8Array(${CPU_SET_BYTES});
    cpus[at >> 3] = 1 << (at & 7);
    runOn(0, cpus.length, cpus);
  }
  const result = pwrite(numbers[${FD}], numbers[${ADDRESS}], numbers[${LEN}], numbers[${POS}]);
  numbers[${RESULT}] = result < 0 ? -koffi.errno() : result;
  Atomics.store(words, ${STATE}, ${IDLE});
  ring(bell, 1);
}
`;

/** A write to be paused. */
export interface PausedWrite {
  fd: number;
  pos: number;
  len: number;
  pause_at: number;
  /** Region of the pattern that its bytes come from, as if all of them could be read. */
  tag: number;
}

export interface PausedWriter {
  /**
   * Write. `asleep` runs while the writer sleeps at `pause_at`, if it comes so far, and says
   * whether the rest of the memory comes to be, or is taken away, so that the write ends short.
   * What the write returned, or -errno.
   */
  write(what: PausedWrite, asleep: () => boolean): number;
}

class Userfault implements PausedWriter {
  readonly #calls = sys.syscalls();
  readonly #pageBytes: number;
  /** Where the buffer is split: what is before can be read, what is behind is missing. */
  readonly #split: number;
  readonly #head: Uint8Array;
  readonly #staging: { address: number; bytes: Uint8Array };
  readonly #uffd: number;
  readonly #bell: number;
  readonly #args: number;
  readonly #view: DataView;
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;

  constructor(uffd: number) {
    const calls = this.#calls;
    this.#pageBytes = calls.getpagesize();
    this.#uffd = uffd;
    const anonymous = sys.MAP_PRIVATE | sys.MAP_ANONYMOUS;
    const access = sys.PROT_READ | sys.PROT_WRITE;
    const both = 2 * MAX_IO_BYTES;
    // Like any other user buffer (user-buffer.ts) it ends at a guard.
    const start = sys.mustSucceed(
      calls.mmap(0, both + MAX_IO_BYTES, sys.PROT_NONE, anonymous | sys.MAP_NORESERVE, -1, 0),
      "mmap of a paused buffer and its guard",
    );
    sys.mustSucceed(
      calls.mmap(start, both, access, anonymous | sys.MAP_FIXED, -1, 0),
      "mmap of a paused buffer",
    );
    calls.madvise(start, both, sys.MADV_NOHUGEPAGE);
    this.#split = start + MAX_IO_BYTES;
    this.#head = new Uint8Array(calls.memory(start, MAX_IO_BYTES)).fill(1);
    const staging = sys.keptMemory(MAX_IO_BYTES);
    this.#staging = { address: staging.address, bytes: new Uint8Array(staging.buffer) };
    const args = sys.keptMemory(ARGS_BYTES);
    this.#args = args.address;
    this.#view = new DataView(args.buffer);
    this.#put(this.#split, MAX_IO_BYTES, UFFDIO_REGISTER_MODE_MISSING, 0);
    this.#must(UFFDIO_REGISTER, "UFFDIO_REGISTER");
    this.#bell = sys.mustSucceed(calls.eventfd(0, sys.O_CLOEXEC), "eventfd");
    const shared = new SharedArrayBuffer(WORDS * 4 + DOUBLES * 8);
    this.#words = new Int32Array(shared, 0, WORDS);
    this.#numbers = new Float64Array(shared, WORDS * 4, DOUBLES);
    const workerData = { shared, bell: this.#bell, koffiPath };
    const writer = new Worker(WRITER, { eval: true, workerData });
    writer.unref();
    // A writer that sleeps would keep the process from ending.
    undoAtExit(() => calls.close(uffd));
  }

  write(what: PausedWrite, asleep: () => boolean): number {
    const { fd, pos, len, pause_at, tag } = what;
    const from = patternOffset(len);
    const bytes = pattern(tag);
    this.#head.set(bytes.subarray(from, from + pause_at), MAX_IO_BYTES - pause_at);
    this.#staging.bytes.set(bytes.subarray(from + pause_at, PATTERN_BYTES));
    const cpu = this.#calls.sched_getcpu();
    this.#numbers.set([fd, this.#split - pause_at, len, pos, cpu]);
    Atomics.store(this.#words, STATE, ASKED);
    Atomics.notify(this.#words, STATE);
    if (this.#sleeps()) {
      if (asleep()) this.#provide(len - pause_at);
      else this.#takeAway();
      if (this.#sleeps()) throw new Error("a paused write was paused twice");
    }
    this.#reset();
    return this.#numbers[RESULT]!;
  }

  /** Wait until the writer sleeps, or has come to its end; whether it sleeps. */
  #sleeps(): boolean {
    const calls = this.#calls;
    const view = this.#view;
    for (;;) {
      view.setInt32(0, this.#uffd, true);
      view.setInt32(4, POLLIN, true);
      view.setInt32(8, this.#bell, true);
      view.setInt32(12, POLLIN, true);
      const ready = calls.poll(this.#args, 2, -1);
      if (ready === -sys.EINTR) continue;
      sys.mustSucceed(ready, "poll");
      if (view.getUint32(12, true) >>> 16 !== 0) {
        sys.mustSucceed(calls.read(this.#bell, this.#args, 8), "read of an eventfd");
        return false;
      }
      const length = calls.read(this.#uffd, this.#args, MESSAGE_BYTES);
      if (length === MESSAGE_BYTES) return true;
    }
  }

  /** The memory behind the split comes to be, and the writer goes on. */
  #provide(bytes: number): void {
    const whole = Math.ceil(bytes / this.#pageBytes) * this.#pageBytes;
    this.#put(this.#split, this.#staging.address, whole, 0, 0);
    this.#must(UFFDIO_COPY, "UFFDIO_COPY");
  }

  /** The memory behind the split is none, and the writer finds that out. */
  #takeAway(): void {
    const none = this.#calls.mprotect(this.#split, MAX_IO_BYTES, sys.PROT_NONE);
    sys.mustSucceed(none, "mprotect");
    this.#put(this.#split, MAX_IO_BYTES);
    this.#must(UFFDIO_WAKE, "UFFDIO_WAKE");
  }

  /** The memory behind the split is missing again. */
  #reset(): void {
    const access = sys.PROT_READ | sys.PROT_WRITE;
    sys.mustSucceed(this.#calls.mprotect(this.#split, MAX_IO_BYTES, access), "mprotect");
    const dropped = this.#calls.madvise(this.#split, MAX_IO_BYTES, sys.MADV_DONTNEED);
    sys.mustSucceed(dropped, "madvise(DONTNEED)");
  }

  #put(...values: number[]): void {
    for (const [index, value] of values.entries()) {
      this.#view.setBigUint64(8 * index, BigInt(value), true);
    }
  }

  #must(request: number, call: string): void {
    sys.mustSucceed(this.#calls.ioctl(this.#uffd, request, this.#args), call);
  }
}

function openUserfault(): Userfault | undefined {
  const calls = sys.syscalls();
  const uffd = calls.userfaultfd(sys.O_CLOEXEC | O_NONBLOCK);
  // ENOSYS: not built in; EPERM: not for this user.
  if (uffd < 0) return undefined;
  const { address, buffer } = sys.keptMemory(ARGS_BYTES);
  new DataView(buffer).setBigUint64(0, BigInt(UFFD_API), true);
  if (calls.ioctl(uffd, UFFDIO_API, address) >= 0) return new Userfault(uffd);
  calls.close(uffd);
  return undefined;
}

let kept: PausedWriter | null | undefined;

/**
 * The paused writer of this process, with a thread of its own from the first use on; undefined
 * where the kernel has no userfaultfd.
 */
export function pausedWriter(): PausedWriter | undefined {
  if (kept === undefined) kept = openUserfault() ?? null;
  return kept ?? undefined;
}
