/**
 * Operation: one call on the file under test, as plain data.
 *
 * Operands are bytes. They may be out of range for the file as it is when the operation runs:
 * `clampOperation` brings them into range when it is applied, so every subsequence of a sequence is
 * a valid sequence and shrinking never produces one that cannot run.
 */
import * as z from "zod";
import { patternTag } from "../../model/include/pattern.ts";
import { LOGICAL_BLOCK_SIZE, PAGE_SIZE } from "../../model/include/types.ts";

/**
 * The largest folio, bytes; folios are aligned to their size. A store through a mapping dirties the
 * whole of its folio.
 */
export const FOLIO_BYTES = 2 * 1024 * 1024;

/** The longest pwrite, pread or mmap_write, bytes: so long that one write can span three folios. */
export const MAX_IO_BYTES = 2 * FOLIO_BYTES;

/**
 * Larger than the largest ext4 file (16 TiB less a block with 4 KiB blocks), so that EFBIG is
 * reachable.
 */
export const MAX_POS_BYTES = 2 ** 44 + 2 ** 22;

/** Pieces of a buffer, but the last. */
export const MAX_PIECES = 7;

/**
 * Allocations that are counted in a call at most: more than any makes that stays within
 * MAX_IO_BYTES.
 */
export const MAX_FAIL_NTH = 100_000;

const pos = z.int().min(0).max(MAX_POS_BYTES);
const ioLen = z.int().min(1).max(MAX_IO_BYTES);
const rangeLen = z.int().min(1).max(MAX_POS_BYTES);

/** fallocate(2) modes, named after their flags; ALLOCATE_RANGE is mode 0. */
export const FALLOCATE_MODES = [
  "allocate",
  "keep_size",
  "punch_hole",
  "zero_range",
  "zero_range_keep_size",
  "collapse_range",
  "insert_range",
] as const;
export type FallocateMode = (typeof FALLOCATE_MODES)[number];

const mmap_write = z.strictObject({ op: z.literal("mmap_write"), pos, len: ioLen });
const pread = z.strictObject({ op: z.literal("pread"), pos, len: ioLen });
const fsync = z.strictObject({ op: z.literal("fsync") });
const sync_file_range = z.strictObject({ op: z.literal("sync_file_range"), pos, len: rangeLen });
const drop_cache = z.strictObject({ op: z.literal("drop_cache") });

/**
 * Meanwhile the device takes no data for blocks that hold none yet: it is thin, and out of room
 * (kernel/thin.ts). For calls that write to it. In a case of two files the model does not follow
 * what a commit writes of the other one.
 */
const starved = z.literal(true).optional();

/**
 * Meanwhile the calling thread's allocation of memory number `fail_nth` fails, of those that may
 * (kernel/fail-nth.ts). For calls that get over it or end early, as a short write does.
 */
const fail_nth = z.int().min(1).max(MAX_FAIL_NTH).optional();

/**
 * What may be called while a writer sleeps inside the kernel: what does not take the lock that it
 * holds (paused-writer.ts).
 */
const duringSchema = z.discriminatedUnion("op", [
  mmap_write,
  pread,
  fsync,
  sync_file_range,
  drop_cache,
]);
export type DuringOperation = z.infer<typeof duringSchema>;

/** Operations during one pause. */
export const MAX_DURING = 8;

export const operationSchema = z.discriminatedUnion("op", [
  /**
   * `readable` bytes of the user buffer are mapped, from its start; the rest faults, so the write
   * ends short.
   */
  z
    .strictObject({
      op: z.literal("pwrite"),
      pos,
      len: ioLen,
      readable: z.int().min(0),
      /**
       * Lengths of the pieces of the buffer but the last, which has the rest: pwritev2(2) takes it
       * from there.
       */
      iov: z.array(z.int().min(0)).min(1).max(MAX_PIECES).optional(),
      /** RWF_APPEND: `pos` does not matter, the file's end does. */
      append: z.literal(true).optional(),
      /** RWF_DSYNC or RWF_SYNC. */
      sync: z.enum(["data", "all"]).optional(),
      /** RLIMIT_FSIZE during the call, bytes. */
      limit: pos.optional(),
      starved,
      fail_nth,
    })
    .refine((o) => o.readable <= o.len, { error: "readable exceeds len", path: ["readable"] })
    .refine((o) => o.fail_nth === undefined || (o.readable === o.len && o.sync === undefined), {
      error: "a write ends early for one reason, and is not synced where it does",
      path: ["fail_nth"],
    })
    .refine((o) => o.sync !== undefined || o.starved === undefined, {
      error: "only a write that is synced meets the device",
      path: ["starved"],
    }),
  /** pwrite through a descriptor with O_DIRECT, from a buffer that begins on a page. */
  z
    .strictObject({
      op: z.literal("direct_write"),
      pos,
      len: ioLen,
      readable: z.int().min(0),
      starved,
    })
    .refine((o) => o.readable <= o.len, { error: "readable exceeds len", path: ["readable"] })
    .refine((o) => o.readable === o.len || o.starved === undefined, {
      error: "which of two errors a direct write returns is a race",
      path: ["starved"],
    }),
  /** pread through the same descriptor, into a buffer that begins on a page. */
  z.strictObject({ op: z.literal("direct_read"), pos, len: ioLen }),
  /**
   * Stores through a shared mapping; clamped to i_size, since a store past the last page is SIGBUS.
   */
  mmap_write,
  pread,
  fsync.extend({ starved, fail_nth }),
  /** WAIT_BEFORE | WRITE | WAIT_AFTER: data only, no journal commit, no flush. */
  sync_file_range.extend({ starved, fail_nth }),
  z.strictObject({ op: z.literal("ftruncate"), size: pos }),
  z.strictObject({
    op: z.literal("fallocate"),
    mode: z.enum(FALLOCATE_MODES),
    pos,
    len: rangeLen,
  }),
  /**
   * Look at the image as it would be after a power cut at this moment: mounted elsewhere, the
   * journal replayed. The file itself goes on as it was.
   */
  z.strictObject({ op: z.literal("power_cut") }),
  /**
   * The file goes, with whatever it has in the page cache that is not written; the case goes on
   * with an empty one of the same name.
   */
  z.strictObject({ op: z.literal("unlink") }),
  /**
   * The case goes on with the other of its two files, which both stay open; the first time that is
   * a new, empty one.
   */
  z.strictObject({ op: z.literal("other_file") }),
  /**
   * fsync, then posix_fadvise(POSIX_FADV_DONTNEED) over the whole file: clean folios leave the page
   * cache.
   */
  drop_cache.extend({ starved }),
  /**
   * A pwrite that comes to memory which is not there yet, `pause_at` bytes from its start, and
   * sleeps there, inside the kernel, while `during` is performed. Then the memory comes to be, and
   * the write goes on, or it is taken away, and the write ends short.
   */
  z
    .strictObject({
      op: z.literal("paused_write"),
      pos,
      len: ioLen,
      pause_at: z.int().min(0),
      during: z.array(duringSchema).max(MAX_DURING),
      after: z.enum(["continue", "fault"]),
    })
    .refine((o) => o.pause_at < o.len, { error: "pause_at is not within len", path: ["pause_at"] }),
]);

export type Operation = z.infer<typeof operationSchema>;
export type OperationName = Operation["op"];

/** A write that takes nothing but pwrite(2): what recordings hold, and what dd can do. */
export function isPlainWrite(operation: Extract<Operation, { op: "pwrite" }>): boolean {
  const { iov, append, sync, limit } = operation;
  return iov === undefined && append === undefined && sync === undefined && limit === undefined;
}

/** An operation that is one call on the file, during which nothing else happens. */
export type SingleCall = Exclude<
  Operation,
  { op: "paused_write" | "power_cut" | "unlink" | "other_file" }
>;

const others: ReadonlySet<OperationName> = new Set([
  "paused_write",
  "power_cut",
  "unlink",
  "other_file",
]);

/** Whether it is one call on the file, during which nothing else happens. */
export function isSingleCall(operation: Operation): operation is SingleCall {
  return !others.has(operation.op);
}

const deviceCalls: ReadonlySet<OperationName> = new Set([
  "fsync",
  "sync_file_range",
  "drop_cache",
  "direct_write",
]);

/** Whether the operation waits for the device, so that it can say what that refused. */
export function meetsDevice(operation: Operation): boolean {
  return operation.op === "pwrite" ? operation.sync !== undefined : deviceCalls.has(operation.op);
}

/** Whether the device has no room while it is performed. */
export function isStarved(operation: Operation): boolean {
  return "starved" in operation && operation.starved === true;
}

/** Which allocation of memory fails while it is performed; undefined where all succeed. */
export function failNthOf(operation: Operation): number | undefined {
  return "fail_nth" in operation ? operation.fail_nth : undefined;
}

/** Whether an allocation of memory may fail while it is performed. */
export function canLackMemory(
  operation: Operation,
): operation is Extract<Operation, { fail_nth?: number | undefined }> {
  if (operation.op === "pwrite") {
    return operation.readable === operation.len && operation.sync === undefined;
  }
  return operation.op === "fsync" || operation.op === "sync_file_range";
}

/** Whether the machine fails it on purpose. */
export function isInjected(operation: Operation): boolean {
  return isStarved(operation) || failNthOf(operation) !== undefined;
}

/** The same with room and memory for everything. */
export function fed(operation: Operation): Operation {
  if (!isInjected(operation)) return operation;
  const { starved: _, fail_nth: __, ...rest } = operation as Extract<Operation, { op: "fsync" }>;
  return rest;
}

/** An operation that a recording can hold. */
export type RecordedCall = Exclude<SingleCall, DirectOperation>;

/** Whether a recording can hold it. */
export function isRecordedCall(operation: Operation): operation is RecordedCall {
  return isSingleCall(operation) && !isDirect(operation) && !isInjected(operation);
}

/** Direct I/O. */
export type DirectOperation = Extract<Operation, { op: "direct_write" | "direct_read" }>;

/** Whether it goes past the page cache. */
export function isDirect(operation: Operation): operation is DirectOperation {
  return operation.op === "direct_write" || operation.op === "direct_read";
}

/** Operations of the longest sequence that is stored. */
export const MAX_OPERATIONS = 100_000;

/** A stored sequence of operations. */
export const operationsSchema = z.array(operationSchema).max(MAX_OPERATIONS);

/**
 * The operation as it is applied to a file of `i_size` bytes. Returns undefined where nothing is
 * left to do (an mmap_write wholly past i_size); both subjects then skip the call and report result
 * 0.
 */
export function clampOperation<O extends Operation>(operation: O, i_size: number): O | undefined {
  if (operation.op === "pwrite" && operation.append === true) return { ...operation, pos: i_size };
  if (operation.op === "direct_write") return clampDirect(operation) as O;
  if (operation.op === "direct_read" && operation.pos % SECTOR_BYTES !== 0) {
    return { ...operation, len: withinBlock(operation) };
  }
  if (operation.op !== "mmap_write") return operation;
  if (operation.pos >= i_size) return undefined;
  const len = Math.min(operation.len, i_size - operation.pos);
  return len === operation.len ? operation : { ...operation, len };
}

/**
 * Why an operation is not applied as it stands to a file of `i_size` bytes; undefined where it is.
 */
export function clampedWhy(operation: Operation, i_size: number): string | undefined {
  const done = clampOperation(operation, i_size);
  if (done === undefined || (operation.op === "mmap_write" && done !== operation)) {
    return "a store past the end of the file is not driven";
  }
  const { len, readable } = {
    readable: 0,
    ...operation,
    len: "len" in operation ? operation.len : 0,
  };
  const same =
    "len" in done && done.len === len && (!("readable" in done) || done.readable === readable);
  if (same || !isDirect(operation)) return undefined;
  if (operation.op === "direct_read") return "one that begins within a sector stays within a block";
  if (!isAligned(operation)) return "one that is not aligned to sectors stays within a block";
  if (operation.starved === true) return "one without room stays within a page";
  return "of one whose memory ends early only the last sector cannot be read";
}

/** Bytes that direct I/O is aligned to. */
export const SECTOR_BYTES = LOGICAL_BLOCK_SIZE;

/** Bytes of the smallest block of a file system. */
const SMALLEST_BLOCK_BYTES = 1024;

/** Whether a range begins and ends on sectors. */
export function isAligned({ pos, len }: { pos: number; len: number }): boolean {
  return pos % SECTOR_BYTES === 0 && len % SECTOR_BYTES === 0;
}

/** Of its length, how much stays within the block of `size` bytes where it begins. */
function withinBlock(
  { pos, len }: { pos: number; len: number },
  size = SMALLEST_BLOCK_BYTES,
): number {
  return Math.min(len, size - (pos % size));
}

/**
 * Whole pages of the buffer can be read or not. And a direct write that fails leaves what it did
 * until then, mapping by mapping, and how far each reaches depends on where blocks lie on the disk.
 * So one that is not aligned stays within a block, and of one whose memory ends early only the last
 * sector cannot be read. A direct read that begins within a sector stays within a block too: where
 * it goes on from a hole to data, that comes to memory which is not aligned, and kernels differ in
 * whether they mind (6.18 only where it crosses a page). And one without room stays within a page,
 * which is a block there: it ends with the first request that has failed, and how many were sent
 * out by then is chance.
 */
function clampDirect<O extends Extract<Operation, { op: "direct_write" }>>(operation: O): O {
  const { len, readable } = operation;
  if (!isAligned(operation)) {
    const within = withinBlock(operation);
    return { ...operation, len: within, readable: readable < len ? 0 : within };
  }
  if (operation.starved === true) {
    const within = withinBlock(operation, PAGE_SIZE);
    return { ...operation, len: within, readable: within };
  }
  if (readable === len) return operation;
  const pages = readable - (readable % PAGE_SIZE);
  return { ...operation, len: Math.min(len, pages + SECTOR_BYTES), readable: pages };
}

/** Files that a case has, one after the other and two at a time. */
export function filesOf(operations: readonly Operation[]): number {
  const unlinked = operations.filter(({ op }) => op === "unlink").length;
  return 1 + unlinked + (operations.some(({ op }) => op === "other_file") ? 1 : 0);
}

/**
 * The region of the pattern that operation number `i` during the pause of operation `index` writes
 * from.
 */
export function duringTag(index: number, i: number): number {
  return patternTag(index + 1 + i);
}

/** Operations whose result is how many bytes they wrote. */
export function isWrite(operation: Operation): boolean {
  const { op } = operation;
  return op === "pwrite" || op === "paused_write" || op === "direct_write";
}

/**
 * Operations that move blocks: what was known of a block before says nothing of the block that has
 * its number after.
 */
export function movesBlocks(operation: Operation): boolean {
  if (operation.op !== "fallocate") return false;
  return operation.mode === "collapse_range" || operation.mode === "insert_range";
}

/** What says that the machine fails it, beside the other operands. */
function injectedIn(operation: Operation): string[] {
  const nth = failNthOf(operation);
  return [
    ...(isStarved(operation) ? ["no room"] : []),
    ...(nth === undefined ? [] : [`fail_nth=${nth}`]),
  ];
}

function describeWrite(write: Extract<Operation, { op: "pwrite" }>): string {
  const { pos: at, len, readable, iov, append, sync, limit } = write;
  const words = [
    append === true ? "append" : `pos=${at}`,
    `len=${len}`,
    ...(readable === len ? [] : [`readable=${readable}`]),
    ...(iov === undefined ? [] : [`iov=${iov.join("+")}+`]),
    ...(sync === undefined ? [] : [sync === "data" ? "DSYNC" : "SYNC"]),
    ...(limit === undefined ? [] : [`limit=${limit}`]),
    ...injectedIn(write),
  ];
  return `pwrite(${words.join(", ")})`;
}

/** One line a person can read, in the notation of the calls. */
export function describeOperation(operation: Operation): string {
  switch (operation.op) {
    case "pwrite":
      return describeWrite(operation);
    case "direct_write": {
      const { pos: at, len, readable } = operation;
      const short = readable === len ? [] : [`readable=${readable}`];
      const words = [`pos=${at}`, `len=${len}`, ...short, ...injectedIn(operation)];
      return `direct_write(${words.join(", ")})`;
    }
    case "mmap_write":
    case "pread":
    case "direct_read":
    case "sync_file_range": {
      const words = [`pos=${operation.pos}`, `len=${operation.len}`, ...injectedIn(operation)];
      return `${operation.op}(${words.join(", ")})`;
    }
    case "ftruncate":
      return `ftruncate(size=${operation.size})`;
    case "fallocate":
      return `fallocate(${operation.mode}, pos=${operation.pos}, len=${operation.len})`;
    case "fsync":
    case "drop_cache":
    case "power_cut":
    case "unlink":
    case "other_file":
      return `${operation.op}(${injectedIn(operation).join("")})`;
    case "paused_write": {
      const { pos: from, len, pause_at, during, after } = operation;
      const meanwhile = during.map(describeOperation).join("; ");
      return `paused_write(pos=${from}, len=${len}, pause_at=${pause_at}, {${meanwhile}}, ${after})`;
    }
  }
}
