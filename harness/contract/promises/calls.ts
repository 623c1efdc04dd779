/**
 * What calls promise their caller: results, sizes, bytes. POSIX and the manual pages say so; no
 * file system may differ.
 */
import { EXT_MAX_BLOCKS } from "../../../model/include/types.ts";
import { EFAULT, EFBIG, EINVAL, EIO, ENOMEM, ENOSPC } from "../../../model/include/errno.ts";
import { isAligned } from "../../case/limits.ts";
import {
  effectsOf,
  failNthOf,
  isStarved,
  meetsDevice,
  targetOf,
} from "../../operations/operation.ts";
import { describeResult } from "../../text/errno.ts";
import type { ContractOptions, ContractPromise, Step } from "../step/step.ts";

/** What a write was asked for. */
interface Write {
  pos: number;
  len: number;
  /** Bytes of its buffer that it can read, in the end. */
  readable: number;
  /** Bytes that a file of its process may have. */
  limit: number;
  /** What it returns where it can read nothing. */
  nothing: number;
}

/**
 * What a write must return where there is space for it, and a file may have `most` bytes
 * (fs/read_write.c generic_write_checks_count()).
 */
function writable({ pos, len, readable, nothing }: Write, most: number): number {
  if (pos >= most) return EFBIG;
  const copied = Math.min(readable, len, most - pos);
  return copied > 0 ? copied : nothing;
}

/**
 * The largest file without extents, of 1 KiB blocks (fs/ext4/super.c ext4_max_bitmap_size()); all
 * others may be larger.
 */
const SMALLEST_LARGEST_FILE = 2 ** 34;

/**
 * Whether a write that returned less than `expected` has come to the end of the largest file, where
 * nobody knows how large it may be.
 */
function endsTooEarly(
  { pos, len }: { pos: number; len: number },
  result: number,
  expected: number,
  { filesEndEarly }: ContractOptions,
): boolean {
  if (filesEndEarly !== true || pos + len <= SMALLEST_LARGEST_FILE) return false;
  return result === EFBIG || (result > 0 && result < expected);
}

/** The write, past the page cache or not, that the operation is; undefined where it is none. */
function writeOf({ operation, readableInSource }: Step, direct: boolean): Write | undefined {
  const target = operation && targetOf(operation);
  if (operation === undefined || target === undefined) return undefined;
  const effects = effectsOf(operation);
  if (effects.result !== "written" || (effects.direct === true) !== direct) return undefined;
  const { pos, len } = target;
  const readable = Math.min(effects.readable?.(operation) ?? len, readableInSource);
  const nothing = readableInSource === Infinity ? EFAULT : 0;
  return { pos, len, readable, limit: effects.limit?.(operation) ?? Infinity, nothing };
}

const writeReturnsWhatItCopied: ContractPromise = {
  id: "write-returns-what-it-copied",
  claim:
    "A write returns how many bytes it took from its buffer: all that can be read, or EFAULT where none can.",
  severity: "size or space",
  about: ["result"],
  source:
    "write(2): on success, the number of bytes written is returned; EFAULT where the buffer is outside the address space",
  check(step) {
    const { operation, seen, options, starved } = step;
    const write = writeOf(step, false);
    if (operation === undefined || write === undefined) return undefined;
    if (starved && seen.result === EIO && meetsDevice(operation)) return undefined;
    if (seen.result === ENOSPC && options.mayFillUp === true) return undefined;
    const lacksMemory = failNthOf(operation) !== undefined;
    if (seen.result === ENOMEM && lacksMemory) return undefined;
    const { readable, limit } = write;
    const expected = writable(write, Math.min(EXT_MAX_BLOCKS * options.blockSize, limit));
    if (seen.result === expected) return undefined;
    // copy_file_range(2) promises 0 of a source without bytes, and EFBIG of such a place.
    const isCopyOfNothing = write.nothing === 0 && readable === 0;
    if (isCopyOfNothing && expected === EFBIG && seen.result === 0) return undefined;
    if (endsTooEarly(write, seen.result, expected, options)) return undefined;
    const mayEndEarly = options.mayFillUp === true || lacksMemory;
    if (mayEndEarly && seen.result > 0 && seen.result < expected) return undefined;
    return `the write returned ${describeResult(seen.result)}, its buffer had ${readable} bytes to read: ${describeResult(expected)}`;
  },
};

/**
 * Direct I/O may be refused that is not aligned, or reaches past the longest file (there a buffered
 * read ends).
 */
function mayBeRefused(
  operation: { pos: number; len: number },
  { blockSize }: ContractOptions,
): boolean {
  return !isAligned(operation) || operation.pos + operation.len > EXT_MAX_BLOCKS * blockSize;
}

const directWriteIsWhole: ContractPromise = {
  id: "direct-write-is-whole",
  claim:
    "A direct write that is aligned writes all of its buffer where all of it can be read, else what can be read, or it fails with EFAULT.",
  severity: "size or space",
  about: ["result"],
  source:
    "open(2), O_DIRECT: where alignment is not met, EINVAL or buffered I/O; write(2): EFAULT where the buffer is outside the address space",
  check(step) {
    const { operation, seen, options } = step;
    const write = writeOf(step, true);
    if (operation === undefined || write === undefined) return undefined;
    if (seen.result === ENOSPC && options.mayFillUp === true) return undefined;
    if (isStarved(operation) && seen.result === EIO) return undefined;
    const { pos, len, readable } = write;
    const most = EXT_MAX_BLOCKS * options.blockSize;
    const expected = writable(write, most);
    if (seen.result === expected) return undefined;
    if (pos < most && !isAligned(write) && seen.result === EINVAL) return undefined;
    if (pos < most && readable < len && seen.result === EFAULT) return undefined;
    if (endsTooEarly(write, seen.result, expected, options)) return undefined;
    if (options.mayFillUp === true && seen.result > 0 && seen.result < expected) return undefined;
    return `the direct write returned ${describeResult(seen.result)}, its buffer had ${readable} bytes to read: ${describeResult(expected)}`;
  },
};

const callsSucceed: ContractPromise = {
  id: "calls-succeed",
  claim:
    "A call on a file that is open for writing fails only for what is wrong with its arguments.",
  severity: "size or space",
  about: ["result"],
  source:
    "the ERRORS of fsync(2), sync_file_range(2), ftruncate(2) and fallocate(2), on a disk that works",
  check({ operation, seen, options, starved }) {
    if (operation === undefined || seen.result >= 0) return undefined;
    const { errors: allowed, errorsWithoutSpace = [ENOSPC] } = effectsOf(operation);
    if (allowed === undefined || allowed.includes(seen.result)) return undefined;
    if (starved && seen.result === EIO && meetsDevice(operation)) return undefined;
    if (options.mayFillUp === true && errorsWithoutSpace.includes(seen.result)) return undefined;
    return `${operation.op} returned ${describeResult(seen.result)}`;
  },
};

/** st_size after a call; -1 where that says nothing of it. */
function sizeAfter({ operation, sizeBefore, seen, starved }: Step): number {
  if (operation === undefined) return sizeBefore;
  const { result, direct, sizeAfter: after } = effectsOf(operation);
  // The write itself may have succeeded, and its sync failed.
  if (starved && result === "written" && direct !== true && seen.result === EIO) return -1;
  return after === undefined ? sizeBefore : after(operation, sizeBefore, seen.result);
}

export const sizeFollowsWrites: ContractPromise = {
  id: "size-follows-writes",
  claim:
    "A file is as long as the last byte written, truncated or allocated says; a call that fails does not change that.",
  severity: "size or space",
  about: ["i_size"],
  source:
    "pwrite(2), ftruncate(2), fallocate(2); POSIX write(): the file offset and size follow the bytes actually written",
  check(step) {
    const { i_size, result } = step.seen;
    const expected = sizeAfter(step);
    if (expected < 0 || expected === i_size) return undefined;
    return `st_size is ${i_size}, was ${step.sizeBefore}; the call returned ${describeResult(result)}, so it must be ${expected}`;
  },
};

const readReturnsWhatWasWritten: ContractPromise = {
  id: "read-returns-what-was-written",
  claim: "A read returns the bytes that were written last, zeros elsewhere, and ends at EOF.",
  severity: "data",
  about: ["read", "result"],
  source:
    "POSIX read() and write(); fallocate(2): reads from a hole or a zeroed range return zeros",
  check({ operation, seen, sizeBefore, contents, options }) {
    if (operation === undefined || !("len" in operation)) return undefined;
    const { result, direct } = effectsOf(operation);
    if (result !== "read") return undefined;
    const { pos, len } = operation;
    if (direct === true && seen.result === EINVAL && mayBeRefused(operation, options))
      return undefined;
    const expected = Math.max(0, Math.min(len, sizeBefore - pos));
    if (seen.result !== expected) {
      return `the read returned ${describeResult(seen.result)}, of ${expected} bytes before EOF`;
    }
    if (seen.read === undefined) return undefined;
    const wrong = contents.firstWrong(seen.read, pos);
    if (wrong < 0) return undefined;
    const [is, must] = [seen.read[wrong]!, contents.byteAt(pos + wrong)].map(
      (byte) => `0x${byte.toString(16).padStart(2, "0")}`,
    );
    return `byte ${pos + wrong} of the file reads as ${is}, must be ${must}`;
  },
};

export const callPromises: readonly ContractPromise[] = [
  writeReturnsWhatItCopied,
  directWriteIsWhole,
  callsSucceed,
  sizeFollowsWrites,
  readReturnsWhatWasWritten,
];
