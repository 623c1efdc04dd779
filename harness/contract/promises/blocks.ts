/**
 * What operations promise of blocks: data has a place, what was allocated stays, what was removed
 * is gone.
 */
import { blocksWith, wholeBlocksIn } from "../../aspects/effects.ts";
import type { BlockRange } from "../../case/observation.ts";
import { effectsOf, shortNameOf } from "../../operations/operation.ts";
import { describeRun, firstVisibleRun, indexAfter } from "../step/extents-walk.ts";
import type { Change } from "../step/extents-walk.ts";
import { movedBlocks } from "../step/step.ts";
import type { ContractPromise, Step } from "../step/step.ts";

const isHole: Change = (now) => now === "hole";
const isHeld: Change = (now) => now !== "hole";
const appeared: Change = (now, was) => now === "written" && was === "hole";
const vanished: Change = (now, was) =>
  (was === "written" || was === "unwritten") && (now === "hole" || now === "delayed");

/** The first blocks of [from, end) of which `is` holds now. */
function firstNow({ windows, seen }: Step, from: number, end: number, is: Change) {
  return firstVisibleRun(windows, seen.map, seen.map, from, end, is);
}

/**
 * The first byte of data in blocks [lblk, end), as its offset in the file; -1 where there is none.
 */
function dataIn({ contents, options }: Step, lblk: number, end: number): number {
  return lblk < end ? contents.firstIn(lblk * options.blockSize, end * options.blockSize) : -1;
}

/**
 * The first byte of data in `window` that no block is there for, or after a sync only one that is
 * not written.
 */
function unkeptData(step: Step, window: BlockRange): number {
  const { seen, syncedFrom, syncedEnd } = step;
  let lblk = window.lblk;
  for (let i = indexAfter(seen.map, lblk); i < seen.map.length; i++) {
    const extent = seen.map[i]!;
    const end = extent.lblk + extent.len;
    if (extent.lblk >= window.end) break;
    let at = dataIn(step, lblk, extent.lblk);
    if (at < 0 && extent.state !== "written") {
      at = dataIn(step, Math.max(extent.lblk, syncedFrom), Math.min(end, syncedEnd));
    }
    if (at >= 0) return at;
    lblk = end;
  }
  return dataIn(step, lblk, window.end);
}

const dataHasBlocks: ContractPromise = {
  id: "data-has-blocks",
  claim:
    "A byte that was written, and not removed since, lies in a block that is delayed or allocated; after a sync, in a written one.",
  severity: "data",
  about: ["map"],
  source:
    "POSIX write(), fsync(): what was written can be read back, and after fsync also after a crash",
  check(step) {
    const { seen, options, windows } = step;
    for (let i = 0; i < windows.length; i++) {
      const at = unkeptData(step, windows[i]!);
      if (at < 0) continue;
      const lblk = Math.floor(at / options.blockSize);
      const extent = seen.map.find((e) => e.lblk <= lblk && lblk < e.lblk + e.len);
      const when = extent === undefined ? "" : " after the sync";
      return `byte ${at} was written, but block ${lblk} is ${extent === undefined ? "a hole" : extent.state}${when}`;
    }
    return undefined;
  },
};

const NO_BLOCKS: BlockRange = { lblk: 0, end: 0 };

/** The blocks that the operation may free; empty for most, everything where it moves blocks. */
function freed(step: Step): BlockRange {
  const { operation, sizeBefore, options } = step;
  if (operation === undefined) return NO_BLOCKS;
  if (movedBlocks(step)) return { lblk: 0, end: Infinity };
  const range = effectsOf(operation).frees?.(operation, sizeBefore, options.blockSize);
  return range === undefined ? NO_BLOCKS : wholeBlocksIn(range, options.blockSize);
}

const allocatedStays: ContractPromise = {
  id: "allocated-stays",
  claim:
    "Blocks that are allocated stay so, until they are truncated, punched or moved: no write that fails frees them.",
  severity: "size or space",
  about: ["map"],
  source:
    "fallocate(2): later writes to the range cannot fail for lack of space; the patch, difference 1: a short or failed write truncates nothing",
  check(step) {
    const { windows, seen, before, mapChanged } = step;
    if (!mapChanged) return undefined;
    const { lblk, end } = freed(step);
    const run =
      firstVisibleRun(windows, seen.map, before, 0, lblk, vanished) ??
      firstVisibleRun(windows, seen.map, before, end, Infinity, vanished);
    return run && `${describeRun(run)} allocated no more`;
  },
};

const newBlocksUnwritten: ContractPromise = {
  id: "new-blocks-unwritten",
  claim: "A write or a store never turns a hole into written blocks.",
  severity: "size or space",
  about: ["map"],
  source: "the patch, difference 1: new blocks are unwritten, always",
  appliesTo: ({ path }) => path === "iomap",
  check({ operation, windows, seen, before, mapChanged, options }) {
    // Once two thirds of the free space are promised ext4 writes back what is delayed, in any write
    // or store (fs/ext4/inode.c ext4_nonda_switch()).
    if (options.mayWriteBack === true || options.mayFillUp === true) return undefined;
    // During a pause others may write back what the write put there so far, and a synced write does
    // itself.
    if (!mapChanged || operation === undefined) return undefined;
    if (effectsOf(operation).onlyDirties?.(operation) !== true) return undefined;
    const run = firstVisibleRun(windows, seen.map, before, 0, Infinity, appeared);
    return run && `${describeRun(run)} written at once, and was a hole before`;
  },
};

const truncatedIsGone: ContractPromise = {
  id: "truncated-is-gone",
  claim: "After a truncation that shortens the file it has no block past its end.",
  severity: "size or space",
  about: ["map"],
  source: "ftruncate(2): the extra data is lost",
  check(step) {
    const { operation, succeeded, sizeBefore, options } = step;
    const size = operation && effectsOf(operation).cutsTo?.(operation);
    if (size === undefined || !succeeded || size >= sizeBefore) return undefined;
    const run = firstNow(step, Math.ceil(size / options.blockSize), Infinity, isHeld);
    return run && `${describeRun(run)} still there after the truncation to ${size} bytes`;
  },
};

const punchedIsHole: ContractPromise = {
  id: "punched-is-hole",
  claim: "Punching a hole removes every whole block of its range that is not past EOF.",
  severity: "size or space",
  about: ["map"],
  source:
    "fallocate(2), FALLOC_FL_PUNCH_HOLE: whole file system blocks are removed from the file (ext4 leaves alone what lies past EOF)",
  check(step) {
    const { operation, succeeded, options, seen } = step;
    const range = operation && effectsOf(operation).punches?.(operation);
    if (range === undefined || !succeeded || range.pos >= seen.i_size) return undefined;
    const { lblk, end } = wholeBlocksIn(range, options.blockSize);
    const eof = Math.ceil(seen.i_size / options.blockSize);
    const run = firstNow(step, lblk, Math.min(end, eof), isHeld);
    return run && `${describeRun(run)} no hole, after having been punched out`;
  },
};

const insertedIsHole: ContractPromise = {
  id: "inserted-is-hole",
  claim: "Inserting a range leaves a hole there.",
  severity: "size or space",
  about: ["map"],
  source: "fallocate(2), FALLOC_FL_INSERT_RANGE: inserts a hole",
  check(step) {
    const { operation, succeeded, options } = step;
    const range = operation && effectsOf(operation).inserts?.(operation);
    if (range === undefined || !succeeded) return undefined;
    const { lblk, end } = wholeBlocksIn(range, options.blockSize);
    const run = firstNow(step, lblk, end, isHeld);
    return run && `${describeRun(run)} no hole, in the range that was inserted`;
  },
};

const fallocateAllocates: ContractPromise = {
  id: "fallocate-allocates",
  claim: "Allocating or zeroing a range leaves no hole in it.",
  severity: "size or space",
  about: ["map"],
  source:
    "fallocate(2): later writes to the range cannot fail for lack of space; FALLOC_FL_ZERO_RANGE: blocks are preallocated for the regions that span the holes",
  check(step) {
    const { operation, succeeded, options } = step;
    if (operation === undefined || !succeeded) return undefined;
    const range = effectsOf(operation).allocates?.(operation);
    if (range === undefined) return undefined;
    const { lblk, end } = blocksWith(range, options.blockSize);
    const run = firstNow(step, lblk, end, isHole);
    return run && `${describeRun(run)} still a hole after ${shortNameOf(operation)}`;
  },
};

export const blockPromises: readonly ContractPromise[] = [
  dataHasBlocks,
  newBlocksUnwritten,
  allocatedStays,
  truncatedIsGone,
  punchedIsHole,
  insertedIsHole,
  fallocateAllocates,
];
