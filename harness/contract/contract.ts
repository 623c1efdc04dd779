/**
 * The contract: what the write path promises whatever its mechanism, checked after every operation
 * of a case.
 *
 * There is no model here. What is looked at is what anyone can see: the operation, what it
 * returned, the file before and after it, and the bytes that were written so far. So it holds for a
 * mechanism that no model was written for, for a recording, and for a live kernel of which only
 * some blocks were looked at (Observation.windows); of the others it says nothing until they are.
 *
 * Verified: the promises in `promises.ts`, each with who made it.
 *
 * Not verified, because nobody promised it:
 * - which blocks become written when: writing back a block may write zeros to its neighbours
 *   (extent_max_zeroout_kb), and a store through a mapping dirties a whole folio. That such blocks
 *   read as zeros is checked, where they are read;
 * - that a short write inside EOF on the buffer_head path gives back what it reserved: it leaves
 *   dirty zeros there, which writeback will give the reserved blocks to. Past EOF nothing is
 *   written back, and there it is checked;
 * - that fallocate(2) changes nothing where it fails;
 * - that a hole which reaches past EOF ends there: until 6.18 ext4 takes the rest of the page, and
 *   with it blocks that fallocate(2) may have put behind the hole. Not verified, because it cannot
 *   be seen: whether a delayed block has dirty page cache over it (it shows at the next sync), what
 *   is on the disk (checkpoints look), and who caused it where another operation went on at the
 *   same time.
 *
 * That a write fails or ends short for lack of space is legal only where ContractOptions says that
 * space may run out: it cannot be told from one that ends short for no reason.
 */
import { EIO } from "../../model/include/errno.ts";
import { IntervalMap } from "../../model/include/interval-map.ts";
import { WHOLE_FILE, sameMap } from "../case/extents.ts";
import type { Severity } from "../finding/severity.ts";
import type { BlockRange, Extent, Observation } from "../case/observation.ts";
import { blocksWith } from "../aspects/effects.ts";
import type { Store } from "../aspects/effects.ts";
import { FOLIO_BYTES } from "../case/limits.ts";
import {
  clampOperation,
  effectsOf,
  fileOf,
  isStarved,
  isWrite,
  sourceOf,
} from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";
import { Contents } from "./step/contents.ts";
import { delayedBlocks, firstRun, patch } from "./step/extents-walk.ts";
import type { Change } from "./step/extents-walk.ts";
import { promises } from "./promises.ts";
import { sizeFollowsWrites } from "./promises/calls.ts";
import { FRESH_FILE, movedBlocks } from "./step/step.ts";
import type { ContractOptions, ContractPromise, Step } from "./step/step.ts";

export type { ContractOptions } from "./step/step.ts";

/** A promise that was not kept, as plain data. */
export interface Broken {
  /** Which one. */
  promise: string;
  severity: Severity;
  /** The promise in one sentence. */
  claim: string;
  /** Index in the case of the operation after which it shows. */
  step: number;
  /** What was seen, in words, one line. */
  message: string;
}

const KEPT: readonly Broken[] = [];
const NOTHING_KNOWN: readonly Extent[] = [];
const NOTHING_ELSE: readonly Operation[] = [];

const becameHole: Change = (now, was) => now === "hole" && was !== "hole";

/** What is known of a file. */
interface FileSeen {
  step: Step;
  /**
   * The map as of the last look at each block: an observation's own, or a copy where windows were
   * put into it.
   */
  known: readonly Extent[];
  copied: Extent[] | undefined;
  size: number;
}

const newFile = (options: ContractOptions): FileSeen => ({
  step: newStep(options),
  known: NOTHING_KNOWN,
  copied: undefined,
  size: 0,
});

function newStep(options: ContractOptions): Step {
  return {
    options,
    operation: undefined,
    succeeded: false,
    seen: FRESH_FILE,
    windows: WHOLE_FILE,
    before: NOTHING_KNOWN,
    sizeBefore: 0,
    mapChanged: false,
    syncedFrom: 0,
    syncedEnd: 0,
    readableInSource: Infinity,
    contents: new Contents(),
    maybeDirty: new IntervalMap(),
    pieces: 0,
    synced: undefined,
    durable: new IntervalMap(),
    starved: false,
    sizeUntold: false,
    sizeRefused: false,
    otherDelayed: 0,
  };
}

export class Contract {
  readonly #promises: readonly ContractPromise[];
  /** As a case begins. */
  readonly #options: ContractOptions;
  /** The case's files. */
  readonly #files: readonly [FileSeen, FileSeen];
  /** Which of them it is at. */
  #at: 0 | 1 = 0;
  #hasOther = false;

  constructor(options: ContractOptions) {
    this.#promises = promises.filter(({ appliesTo }) => appliesTo?.(options) !== false);
    this.#options = options;
    this.#files = [newFile(options), newFile(options)];
  }

  get #file(): FileSeen {
    return this.#files[this.#at];
  }

  get #step(): Step {
    return this.#file.step;
  }

  /** The promises that this file system made. */
  get promises(): readonly ContractPromise[] {
    return this.#promises;
  }

  /** A case begins, on a fresh, empty file. */
  begin(): void {
    this.#at = 0;
    this.#hasOther = false;
    for (const file of this.#files) this.#beginFile(file);
  }

  /** For the rest of the case: space may run out. */
  mayFillUp(): void {
    this.#loosen({ mayFillUp: true });
  }

  /** For the rest of the case: the kernel may write back what nobody asked it to. */
  mayWriteBack(): void {
    this.#loosen({ mayWriteBack: true });
  }

  /**
   * In the operation that is to be checked next the kernel may have written back what is delayed,
   * of all files.
   */
  mayHaveWrittenBack(): void {
    this.#step.otherDelayed = undefined;
  }

  #loosen(what: Partial<ContractOptions>): void {
    for (const { step } of this.#files) step.options = { ...step.options, ...what };
    this.mayHaveWrittenBack();
  }

  /** The case goes on with its other file. */
  #change(): void {
    const { known, copied } = this.#file;
    this.#at = this.#at === 0 ? 1 : 0;
    this.#hasOther = true;
    // Where space runs out, ext4_nonda_switch() has other files written back
    // (`mayHaveWrittenBack`).
    const { mayFillUp = false, mayWriteBack = false } = this.#step.options;
    const stays = copied === undefined && !mayFillUp && !mayWriteBack;
    this.#step.otherDelayed = stays ? delayedBlocks(known) : undefined;
  }

  #beginFile(file: FileSeen, options = this.#options): void {
    const { step } = file;
    file.known = NOTHING_KNOWN;
    file.copied = undefined;
    file.size = 0;
    step.options = options;
    step.contents.clear();
    step.maybeDirty.clear();
    step.pieces = 0;
    step.synced = undefined;
    step.durable.clear();
    step.starved = false;
    step.sizeUntold = false;
    step.sizeRefused = false;
    if (!this.#hasOther) step.otherDelayed = 0;
  }

  /**
   * The file as it must be on disk, once it is synced: its blocks as they were seen last, its bytes
   * as they were written. Undefined where nobody promises how large it is there.
   */
  file(): { i_size: number; map: Extent[]; contents: Contents } | undefined {
    const { sizeUntold, sizeRefused } = this.#step;
    if (sizeUntold || sizeRefused) return undefined;
    const map = this.#file.known.filter(({ state }) => state !== "delayed");
    return { i_size: this.#file.size, map, contents: this.#step.contents.copy() };
  }

  /**
   * The promises that do not hold after `operation`, number `index` of its case; what says most of
   * the cause comes first. `followers` are operations that came with it (Subject.performed). To be
   * called after every operation.
   */
  check(
    operation: Operation,
    index: number,
    seen: Observation,
    followers: readonly Operation[] = NOTHING_ELSE,
  ): readonly Broken[] {
    if (fileOf(operation) !== this.#at) this.#change();
    // The file that it leaves is a new one: nothing of the one before is, or is promised, any more.
    if (effectsOf(operation).replacesFile === true && seen.result >= 0) {
      this.#beginFile(this.#file, this.#step.options);
    }
    this.#enter(operation, index, seen, followers);
    let broken: Broken[] | undefined;
    for (let i = 0; i < this.#promises.length; i++) {
      const { id, severity, claim, check } = this.#promises[i]!;
      const message = check(this.#step);
      if (message === undefined) continue;
      (broken ??= []).push({ promise: id, severity, claim, step: index, message });
    }
    if (broken?.some(({ promise }) => promise === sizeFollowsWrites.id) === true) {
      this.#step.sizeUntold = true;
    }
    this.#leave(seen);
    return broken ?? KEPT;
  }

  #enter(
    operation: Operation,
    index: number,
    seen: Observation,
    followers: readonly Operation[],
  ): void {
    const step = this.#step;
    const { blockSize } = step.options;
    const done = clampOperation(operation, this.#file.size);
    step.operation = done;
    step.starved ||= isStarved(operation);
    const writes = isWrite(operation);
    step.succeeded = writes ? seen.result > 0 : seen.result >= 0;
    step.seen = seen;
    step.windows = seen.windows ?? WHOLE_FILE;
    step.before = this.#file.known;
    step.sizeBefore = this.#file.size;
    step.mapChanged = seen.windows !== undefined || !sameMap(this.#file.known, seen.map);
    step.syncedFrom = 0;
    step.syncedEnd = 0;
    if (step.succeeded) {
      this.#sync(done ?? operation, blockSize);
      for (const follower of followers) this.#sync(follower, blockSize);
    }
    step.pieces = Math.max(step.pieces, seen.pieces);
    const from = done && sourceOf(done);
    const source = from && this.#files[from.file];
    step.readableInSource = from && source ? Math.max(0, source.size - from.pos) : Infinity;
    if (done !== undefined) step.contents.apply(done, index, seen, source?.step.contents);
  }

  #sync(operation: Operation, blockSize: number): void {
    const step = this.#step;
    const range = effectsOf(operation).syncs?.(operation, step.seen.result);
    if (range === undefined || range.end <= range.pos) return;
    const { lblk, end } = blocksWith(range, blockSize);
    step.syncedFrom = lblk;
    step.syncedEnd = end;
  }

  #leave(seen: Observation): void {
    if (this.#step.options.path === "iomap") this.#noteMaybeDirty();
    this.#noteSynced(seen);
    this.#noteDurable(seen);
    this.#noteSaid();
    if (seen.windows === undefined) {
      this.#file.known = seen.map;
      this.#file.copied = undefined;
    } else {
      this.#file.copied ??= [...this.#file.known];
      patch(this.#file.copied, seen.windows, seen.map);
      this.#file.known = this.#file.copied;
    }
    this.#file.size = seen.i_size;
  }

  /**
   * A call that fails may have changed something all the same; a read may not, nor may what writes
   * back what is clean.
   */
  #noteSynced(seen: Observation): void {
    const step = this.#step;
    const { operation, succeeded } = step;
    if (operation === undefined) return;
    const { changesNothing, syncsAll } = effectsOf(operation);
    if (changesNothing === true) return;
    step.synced = undefined;
    if (syncsAll !== true || !succeeded || step.sizeRefused || seen.windows !== undefined) return;
    // That nothing is delayed any more is a promise of its own.
    const map = seen.map.filter(({ state }) => state !== "delayed");
    step.synced = { i_size: seen.i_size, map };
  }

  /**
   * What a call was to change is as good as changed, whatever came of it: a power cut may leave it
   * so, or as it was.
   */
  #noteDurable(seen: Observation): void {
    const step = this.#step;
    const { operation, starved, durable, contents } = step;
    if (operation === undefined) return;
    this.#followDurable(operation, seen);
    // What could not be written is in memory for as long as it pleases the kernel. A direct write
    // may say nothing of it.
    const silent = isStarved(operation) && effectsOf(operation).direct === true;
    if (!silent && !(starved && seen.result === EIO)) return;
    contents.doubt(durable, operation);
    step.sizeRefused ||= step.options.path === "iomap";
  }

  /** A sync of all of the file that succeeds has nothing left to say of what was refused before. */
  #noteSaid(): void {
    const { operation, succeeded } = this.#step;
    if (operation === undefined || effectsOf(operation).syncsAll !== true) return;
    if (succeeded && !isStarved(operation)) this.#step.starved = false;
  }

  #followDurable(operation: Operation, seen: Observation): void {
    const { succeeded, durable } = this.#step;
    const { overwrites, persists } = effectsOf(operation);
    for (const { pos, len } of storesOf(operation, seen)) durable.delete(pos, pos + len);
    const changed = overwrites?.(operation);
    if (changed !== undefined && changed.pos < changed.end)
      durable.delete(changed.pos, changed.end);
    if (!succeeded) return;
    const safe = persists?.(operation, seen.result, seen.i_size);
    if (safe !== undefined && safe.pos < safe.end) durable.set(safe.pos, safe.end, true);
  }

  /**
   * Note blocks without any over which page cache may be dirty. A folio of several blocks keeps the
   * dirty bits of those that are cut out of its middle (fs/iomap/buffered-io.c
   * iomap_invalidate_folio()), and a store through a mapping sets those past EOF too
   * (iomap_dirty_folio()). A later short write must leave what it reserves under them: writeback
   * will want it (iomap_write_delalloc_ifs_punch()). Writeback of the folio clears them all
   * (iomap_writepage_map()).
   */
  #noteMaybeDirty(): void {
    const { operation, windows, before, seen, mapChanged, maybeDirty, options } = this.#step;
    if (this.#step.syncedEnd === Infinity) maybeDirty.clear();
    if (operation === undefined) return;
    for (const { pos, len, i_size } of storesOf(operation, seen)) {
      const { blockSize } = options;
      const end = Math.ceil((pos + len) / FOLIO_BYTES) * FOLIO_BYTES;
      maybeDirty.set(Math.floor(i_size / blockSize), end / blockSize, true);
    }
    if (!mapChanged || movedBlocks(this.#step)) return;
    for (const window of windows) noteHoles(maybeDirty, seen.map, before, window);
  }
}

const NO_STORES: readonly Store[] = [];

/** The stores that an operation is, or has in its pause. */
const storesOf = (operation: Operation, seen: Observation): readonly Store[] =>
  effectsOf(operation).stores?.(operation, seen) ?? NO_STORES;

function noteHoles(
  into: IntervalMap<true>,
  now: readonly Extent[],
  was: readonly Extent[],
  window: BlockRange,
): void {
  let from = window.lblk;
  for (;;) {
    const run = firstRun(now, was, from, window.end, becameHole);
    if (run === undefined) return;
    into.set(run.lblk, run.end, true);
    from = run.end;
  }
}
