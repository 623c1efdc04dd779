/**
 * What delayed allocation promises: a reservation stands for data that waits to be written back,
 * and for nothing else.
 */
import type { BlockRange } from "../../case/observation.ts";
import { describeRun, firstVisibleRun, hasDelayed } from "../step/extents-walk.ts";
import type { Change } from "../step/extents-walk.ts";
import { blocksWith } from "../../aspects/effects.ts";
import { duringOf, effectsOf, isWrite, targetOf } from "../../operations/operation.ts";
import { movedBlocks } from "../step/step.ts";
import type { ContractOptions, ContractPromise, Step } from "../step/step.ts";

const isDelayed: Change = (now) => now === "delayed";
const becameDelayed: Change = (now, was) => now === "delayed" && was !== "delayed";

const delays = ({ delalloc }: ContractOptions): boolean => delalloc;

/** The first blocks of [from, end) that the operation made delayed. */
function newlyDelayed(step: Step, from: number, end: number): BlockRange | undefined {
  const { windows, seen, before, mapChanged } = step;
  if (!mapChanged || from >= end) return undefined;
  return firstVisibleRun(windows, seen.map, before, from, end, becameDelayed);
}

/** The first block past EOF. */
function eofBlock({ seen, options }: Step): number {
  return Math.ceil(seen.i_size / options.blockSize);
}

/** The blocks that a write asked for and put no byte into; empty where it filled all of them. */
function unusedBlocks({ operation, seen, succeeded, options }: Step): BlockRange | undefined {
  // During a pause others may have put something there.
  if (operation === undefined || !isWrite(operation) || duringOf(operation).length > 0) {
    return undefined;
  }
  const target = targetOf(operation);
  if (target === undefined) return undefined;
  const { blockSize } = options;
  const { pos, len } = target;
  const lblk = succeeded ? Math.ceil((pos + seen.result) / blockSize) : Math.floor(pos / blockSize);
  const end = Math.ceil((pos + len) / blockSize);
  return lblk < end ? { lblk, end } : undefined;
}

/**
 * The first blocks of [from, end) that the operation made delayed and over which page cache cannot
 * have been dirty.
 */
function newlyDelayedClean(step: Step, from: number, end: number): BlockRange | undefined {
  let at = from;
  while (at < end) {
    const run = newlyDelayed(step, at, end);
    if (run === undefined) return undefined;
    const dirty = step.maybeDirty.next(run.lblk);
    if (dirty === undefined || dirty.start > run.lblk) {
      return { lblk: run.lblk, end: Math.min(run.end, dirty?.start ?? Infinity) };
    }
    at = dirty.end;
  }
  return undefined;
}

/**
 * Inside EOF this is the patch's promise and holds on its path only. Past EOF there is nothing that
 * could make it right on either path: writeback ends at EOF (fs/ext4/inode.c
 * mpage_process_page_bufs(), fs/iomap/buffered-io.c iomap_writeback_handle_eof()), and
 * iomap_write_delalloc_release() does not even look at page cache there.
 */
const releasedAfterShortWrite: ContractPromise = {
  id: "released-after-short-write",
  claim: "A write that ends short or fails leaves no block newly delayed that it put no byte into.",
  severity: "accounting",
  about: ["map", "reserved"],
  source:
    "the patch, difference 2: what a short or failed write reserved and did not use is given back",
  appliesTo: delays,
  check(step) {
    const unused = unusedBlocks(step);
    if (unused === undefined) return undefined;
    const { lblk, end } = unused;
    const eof = eofBlock(step);
    const inside = step.options.path === "iomap";
    const run =
      (inside ? newlyDelayedClean(step, lblk, Math.min(end, eof)) : undefined) ??
      newlyDelayed(step, Math.max(lblk, eof), end);
    if (run === undefined) return undefined;
    return `${describeRun(run)} delayed since the write, which put no byte there`;
  },
};

const NO_BLOCKS: BlockRange = { lblk: 0, end: 0 };

/**
 * Blocks of which an operation may make any delayed: those it puts bytes into, and their folio for
 * a store.
 */
function dirtiedBlocks({ operation, options }: Step): BlockRange {
  const range = operation && effectsOf(operation).dirties?.(operation);
  return range === undefined ? NO_BLOCKS : blocksWith(range, options.blockSize);
}

const delayedByWriting: ContractPromise = {
  id: "delayed-by-writing",
  claim:
    "Only a write, where it writes, and a store through a mapping, in its folio, make a block delayed.",
  severity: "accounting",
  about: ["map", "reserved"],
  source:
    "Documentation/admin-guide/ext4.rst, delalloc: block allocation is deferred for data that is written; no data, no delayed block",
  appliesTo: delays,
  check(step) {
    // What was delayed lies elsewhere after a move, which writes it back first (fs/ext4/extents.c).
    if (!step.mapChanged || !hasDelayed(step.seen.map) || movedBlocks(step)) return undefined;
    const own = dirtiedBlocks(step);
    const run = newlyDelayed(step, 0, own.lblk) ?? newlyDelayed(step, own.end, Infinity);
    return run && `${describeRun(run)} delayed since an operation that wrote nothing there`;
  },
};

const nothingDelayedPastEof: ContractPromise = {
  id: "nothing-delayed-past-eof",
  claim:
    "No block wholly past EOF is delayed: nothing is written back there, so nothing would ever use the reservation.",
  severity: "accounting",
  about: ["map", "reserved"],
  source:
    "POSIX write(): a file ends at its last byte, so there is no data past it; the patch: a delayed extent without dirty data is an inaccurate space reservation",
  appliesTo: delays,
  check(step) {
    const { seen, windows } = step;
    const last = seen.map.at(-1);
    const eof = eofBlock(step);
    if (last === undefined || last.lblk + last.len <= eof) return undefined;
    const run = firstVisibleRun(windows, seen.map, seen.map, eof, Infinity, isDelayed);
    return run && `${describeRun(run)} delayed past EOF (st_size ${seen.i_size})`;
  },
};

const nothingDelayedAfterSync: ContractPromise = {
  id: "nothing-delayed-after-sync",
  claim: "After a sync no block in its range is delayed.",
  severity: "accounting",
  about: ["map", "reserved"],
  source:
    "fsync(2), sync_file_range(2): all dirty data is written; the patch: a delayed extent under clean page cache is an inaccurate space reservation",
  check(step) {
    const { seen, windows, syncedFrom, syncedEnd } = step;
    if (syncedFrom >= syncedEnd) return undefined;
    const run = firstVisibleRun(windows, seen.map, seen.map, syncedFrom, syncedEnd, isDelayed);
    return run && `${describeRun(run)} delayed after the sync`;
  },
};

const nodelallocDelaysNothing: ContractPromise = {
  id: "nodelalloc-delays-nothing",
  claim: "Without delayed allocation no block is ever delayed.",
  severity: "accounting",
  about: ["map", "reserved"],
  source:
    "Documentation/admin-guide/ext4.rst, nodelalloc: blocks are allocated when data is copied from user space to the page cache",
  appliesTo: (options) => !delays(options),
  check({ seen, windows }) {
    if (!hasDelayed(seen.map)) return undefined;
    const run = firstVisibleRun(windows, seen.map, seen.map, 0, Infinity, isDelayed);
    return run && `${describeRun(run)} delayed`;
  },
};

export const delayedPromises: readonly ContractPromise[] = [
  releasedAfterShortWrite,
  delayedByWriting,
  nothingDelayedPastEof,
  nothingDelayedAfterSync,
  nodelallocDelaysNothing,
];
