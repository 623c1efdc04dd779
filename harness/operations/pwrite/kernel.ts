/**
 * A write by pwrite(2), or by pwritev2(2) where it takes more than that.
 */
import { PAGE_SIZE } from "../../../model/include/types.ts";
import type { KernelCall, OpenFile } from "../../aspects/on-kernel.ts";
import { cachestat } from "../../system/page-cache.ts";
import * as sys from "../../system/syscalls.ts";
import { MAX_PIECES, isPlain, piecesOf } from "./operation.ts";
import type { Pwrite } from "./operation.ts";

/** Kept memory: struct iovec of each piece (address and length), two of struct rlimit. */
const IOVEC_BYTES = 16;
const RLIMIT_BYTES = 16;
const LIMITS_AT = IOVEC_BYTES * (MAX_PIECES + 1);

interface Arguments {
  iovAt: number;
  iov: BigUint64Array;
  /** What the limit was, and what it is during a call. */
  beforeAt: number;
  duringAt: number;
  limits: BigUint64Array;
}

let kept: Arguments | undefined;

function keptArguments(): Arguments {
  if (kept !== undefined) return kept;
  const { address, buffer } = sys.keptMemory(LIMITS_AT + 2 * RLIMIT_BYTES);
  kept = {
    iovAt: address,
    iov: new BigUint64Array(buffer, 0, 2 * (MAX_PIECES + 1)),
    beforeAt: address + LIMITS_AT,
    duringAt: address + LIMITS_AT + RLIMIT_BYTES,
    limits: new BigUint64Array(buffer, LIMITS_AT, 4),
  };
  return kept;
}

/** include/uapi/linux/fs.h RWF_DONTCACHE, since 6.14. */
const RWF_DONTCACHE = 0x80;

/** Writes that must be on their way to the device when they return, before a kernel is believed. */
const KICKS = 4;

const kicking = new WeakMap<OpenFile, boolean>();

/**
 * Whether the kernel writes back just what a write with RWF_DONTCACHE has dirtied, and begins to
 * within the call. Later ones (mm/filemap.c filemap_dontcache_kick_writeback()) leave it to a thread
 * of the kernel, when and how much: by the time of the look nothing is written, or all of the file.
 */
function kicksWriteback(file: OpenFile): boolean {
  const known = kicking.get(file);
  if (known !== undefined) return known;
  // It may be the file of the last case, with all that was left dirty.
  let kicks = file.calls.ftruncate(file.fd, 0) === 0;
  const page = { op: "pwrite", len: PAGE_SIZE, readable: PAGE_SIZE } as const;
  pwritev2(file, { ...page, pos: 0 }, 0);
  for (let i = 1; kicks && i <= KICKS; i++) {
    // Apart: blocks that follow those of a write that is under way have 6.18 warn of their extent,
    // which is longer than what that has written (ext4_convert_unwritten_extents_endio()).
    const result = pwritev2(file, { ...page, dontcache: true, pos: 2 * i * PAGE_SIZE }, 0);
    const pages = cachestat(file.fd);
    kicks = result === PAGE_SIZE && typeof pages !== "number" && pages.dirty === 1;
  }
  kicking.set(file, kicks);
  return kicks;
}

/**
 * pwritev2(2). The pieces of the buffer lie side by side as far as they can be read; the first byte
 * that cannot is where memory ends, and the pieces after it are elsewhere, where all of them can.
 */
function pwritev2({ calls, fd, user }: OpenFile, o: Pwrite, tag: number): number {
  const { readable, append, sync, dontcache } = o;
  const { iov, iovAt } = keptArguments();
  const base = user.address(tag, readable);
  const pieces = piecesOf(o);
  let at = 0;
  for (const [index, length] of pieces.entries()) {
    const beyond = at > readable;
    const address = beyond ? user.address(tag, length) : base + at;
    iov[2 * index] = BigInt(address);
    iov[2 * index + 1] = BigInt(length);
    at += length;
  }
  const flags =
    (append === true ? sys.RWF_APPEND : 0) |
    (dontcache === true ? RWF_DONTCACHE : 0) |
    (sync === "data" ? sys.RWF_DSYNC : sync === "all" ? sys.RWF_SYNC : 0);
  // The position of an append is not looked at: any but -1, which is the descriptor's own.
  const pos = append === true ? 0 : o.pos;
  return calls.pwritev2(fd, iovAt, pieces.length, pos, flags);
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

/**
 * `write` while files of this process may have `limit` bytes. It must not die of SIGXFSZ: the
 * signal is taken and forgotten.
 */
function limited({ calls }: OpenFile, limit: number, write: () => number): number {
  takeNoSignal();
  const { limits, beforeAt, duringAt } = keptArguments();
  sys.mustSucceed(calls.getrlimit(sys.RLIMIT_FSIZE, beforeAt), "getrlimit");
  limits[2] = BigInt(limit);
  limits[3] = limits[1]!;
  sys.mustSucceed(calls.setrlimit(sys.RLIMIT_FSIZE, duringAt), "setrlimit");
  const result = write();
  sys.mustSucceed(calls.setrlimit(sys.RLIMIT_FSIZE, beforeAt), "setrlimit");
  return result;
}

export const onKernel: KernelCall<Pwrite> = {
  call(file, o, tag) {
    if (isPlain(o)) {
      return file.calls.pwrite(file.fd, file.user.address(tag, o.readable), o.len, o.pos);
    }
    if (o.limit === undefined) return pwritev2(file, o, tag);
    return limited(file, o.limit, () => pwritev2(file, o, tag));
  },
  isPossible: (o, file) => o.dontcache === undefined || kicksWriteback(file),
  staysInPage: ({ pos, len, append }) =>
    append === undefined && (pos % PAGE_SIZE) + len <= PAGE_SIZE,
};
