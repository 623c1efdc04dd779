/**
 * The model as a Subject: translates operations into the model's calls, and its state into
 * observations.
 */
import {
  bytesAfterCut,
  bytesAt,
  createFileSystem,
  createInode,
  evictInode,
  fiemap,
  unlinkAndCreate,
  withoutMemory,
  withoutRoom,
} from "../../model/file-system.ts";
import { afterPowerCut } from "../../model/ext4/power-cut.ts";
import { adoptZeroed } from "../../model/ext4/zeroout.ts";
import { EIO, ENOMEM } from "../../model/include/errno.ts";
import { patternTag } from "../../model/include/pattern.ts";
import type { ModelConfig, Override } from "../../model/tables.ts";
import { DELAYED, UNWRITTEN, WRITTEN } from "../../model/include/types.ts";
import type { Inode, Refusal, SuperBlock } from "../../model/include/types.ts";
import { indexAfter } from "../contract/step/extents-walk.ts";
import type {
  BlockRange,
  CachedPages,
  CutLook,
  Extent,
  ExtentState,
  Observation,
  PausedLook,
} from "../case/observation.ts";
import { WHOLE_FILE, dataRanges } from "../case/extents.ts";
import type { ModelCall, ModelFiles, Unknown } from "../aspects/on-model.ts";
import { callOnModel, modelCall, onModel } from "../operations/on-model.ts";
import {
  clampOperation,
  effectsOf,
  failNthOf,
  fileOf,
  isInjected,
  isStarved,
  isWrite,
} from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";
import type { Subject } from "./subject.ts";

const stateNames: Record<typeof WRITTEN | typeof UNWRITTEN | typeof DELAYED, ExtentState> = {
  [WRITTEN]: "written",
  [UNWRITTEN]: "unwritten",
  [DELAYED]: "delayed",
};

/**
 * The allocated and the delayed blocks of [from, to) in one list, as FIEMAP shows them. The two
 * never overlap: a delayed block is one that the extent tree has nothing for.
 */
export function extentMap(inode: Inode, from = 0, to = Infinity, map: Extent[] = []): Extent[] {
  const { i_extents, i_es_tree } = inode;
  const delayed = inode.i_reserved_data_blocks > 0;
  let d = delayed ? nextDelayed(inode, i_es_tree.indexAfter(from), to) : undefined;
  for (let i = i_extents.indexAfter(from); ; i++) {
    const extent = i_extents.at(i);
    const end = extent === undefined ? to : Math.min(extent.start, to);
    for (; d !== undefined && d.start < end; d = nextDelayed(inode, d.index + 1, to)) {
      push(map, Math.max(d.start, from), Math.min(d.end, to), "delayed");
    }
    if (extent === undefined || extent.start >= to) return map;
    push(map, Math.max(extent.start, from), Math.min(extent.end, to), stateNames[extent.value]);
  }
}

function push(map: Extent[], start: number, end: number, state: ExtentState): void {
  map.push({ lblk: start, len: end - start, state });
}

/**
 * The first delayed entry of the extent status tree from number `index` on that begins before `to`.
 */
function nextDelayed(
  inode: Inode,
  index: number,
  to: number,
): { start: number; end: number; index: number } | undefined {
  const tree = inode.i_es_tree;
  for (let i = index; ; i++) {
    const entry = tree.at(i);
    if (entry === undefined || entry.start >= to) return undefined;
    if (entry.value === DELAYED) return { start: entry.start, end: entry.end, index: i };
  }
}

const always = (): boolean => true;

const NOTHING_UNKNOWN: readonly Unknown[] = [];

/** Nothing that needs room is taken. */
const NO_ROOM: Refusal = { block: always, again: always, direct: true };

export class ModelSubject implements Subject {
  readonly name = "model";
  readonly #sb: SuperBlock;
  readonly #reserve: ModelConfig["reserve"];
  /**
   * With data=journal a folio is dirty, and stays where it is, until the transaction has committed
   * that has its buffers. An fsync commits only what has something of the inode, and a new mtime is
   * something: the clock decides (traced on 6.18).
   */
  readonly #knowsPages: boolean;
  /** The case's files; undefined until something is about it. */
  #inodes: (Inode | undefined)[] = [];
  /** Which of them the last operation was about. */
  #at: 0 | 1 = 0;
  /** Of the last operation. */
  #result = 0;
  #read: Uint8Array | undefined;
  /** Of what was read in a pause, the bytes that the model cannot know. */
  #unknown: readonly Unknown[] = NOTHING_UNKNOWN;
  #during: PausedLook[] | undefined;
  #cut: CutLook | undefined;
  #commitsBefore = 0;
  /** What was seen after the operation that is about to be applied. */
  #observed: Observation | undefined;
  /** Transactions that were committed up to the last operation, where they are told. */
  #commitsObserved = 0;
  /** Deviations that had a part in files of the case which are gone. */
  readonly #deviatedBefore = new Set<string>();

  readonly #files: ModelFiles<Operation>;
  readonly #bytesAt = (pos: number, len: number): Uint8Array | undefined =>
    this.bytesRead(pos, len);

  constructor(config: ModelConfig, overrides: readonly Override[] = []) {
    this.#files = this.#asFiles();
    this.#sb = createFileSystem(config, overrides);
    this.#reserve = config.reserve;
    this.#knowsPages = config.journal !== "journal";
    this.#file(0);
  }

  /** One of the case's files: the first time that is a new one. */
  readonly #file = (file: 0 | 1): Inode => (this.#inodes[file] ??= createInode(this.#sb));

  /** The file that the last operation was about. */
  get inode(): Inode {
    return this.#file(this.#at);
  }

  /**
   * Whether the model cannot tell any more what the kernel does in this case: hardly any space is
   * left.
   */
  get isBeyond(): boolean {
    return this.#sb.beyondModel;
  }

  /** Whether the last operation had the kernel write back of itself what was delayed. */
  get wroteBack(): boolean {
    return this.#sb.s_wroteBack;
  }

  /**
   * Learn how many blocks are free and not promised; undefined where nobody knows better than the
   * model. To be called after `begin`. Where the model thought otherwise, either may be right soon:
   * the file before may not have given back its blocks yet (subjects/kernel-file.ts).
   */
  tellFree(blocks: number | undefined): void {
    const sb = this.#sb;
    if (blocks === undefined || this.#reserve === undefined) return;
    const doubt = Math.abs(sb.s_freeclusters_counter - sb.s_dirtyclusters_counter - blocks);
    sb.s_reserve = { ...this.#reserve, error: this.#reserve.error + doubt };
    sb.s_freeclusters_counter = blocks + sb.s_dirtyclusters_counter;
    sb.s_mb_free_pending = Math.min(sb.s_mb_free_pending, sb.s_freeclusters_counter);
  }

  /** What the last operation returned. */
  get result(): number {
    return this.#result;
  }

  /** Whether a deviation had a part in the case. */
  hasDeviated(id: string): boolean {
    return this.deviated.has(id);
  }

  /** Ids of the deviations that had a part in the case. */
  get deviated(): ReadonlySet<string> {
    const [first, second] = this.#inodes;
    if (second === undefined && this.#deviatedBefore.size === 0 && first !== undefined) {
      return first.deviated;
    }
    const inFiles = this.#inodes.flatMap((inode) => [...(inode?.deviated ?? [])]);
    return new Set([...inFiles, ...this.#deviatedBefore]);
  }

  /** Whether new files record what a power cut would leave of them. */
  set recordsDisk(records: boolean) {
    this.#sb.s_recordsDisk = records;
  }

  begin(): void {
    this.end();
    this.#file(0);
    this.#commitsObserved = 0;
    this.#observed = undefined;
    this.#sb.s_commitsObserved = undefined;
    this.#sb.s_freedUnknown ||= this.#sb.beyondModel;
    this.#sb.beyondModel = false;
    this.#commitsBefore = this.#sb.s_commits;
    this.#deviatedBefore.clear();
  }

  end(): void {
    for (const inode of this.#inodes) if (inode !== undefined) evictInode(inode);
    this.#inodes = [];
    this.#at = 0;
  }

  /** End the case but keep its file, as it is now. */
  keep(): Inode {
    const kept = this.inode;
    this.#inodes[this.#at] = undefined;
    this.end();
    this.#sb.s_inodes.delete(kept);
    return kept;
  }

  step(operation: Operation, index: number): Observation {
    this.apply(operation, index);
    return this.observe(undefined);
  }

  /** The case's files, for operations that are more than one call. */
  #asFiles(): ModelFiles<Operation> {
    const current = (): Inode => this.inode;
    return {
      get inode() {
        return current();
      },
      look: (result) => this.#look(result),
      call: (operation, tag) => {
        const how = modelCall(operation);
        if (how === undefined) throw new Error(`${operation.op} is more than one call`);
        this.#call(how, operation, tag);
        const read = this.#read;
        const unknown = read && how.unknown?.(this.inode, operation, read.length);
        return { result: this.#result, read, ...(unknown && { unknown }) };
      },
      lookAfterCut: () => this.#lookAfterCut(),
      replace: () => {
        for (const id of this.inode.deviated) this.#deviatedBefore.add(id);
        this.#inodes[this.#at] = unlinkAndCreate(this.inode);
      },
    };
  }

  /** Go on with the file that the operation is about. */
  turnTo(operation: Operation): void {
    this.#at = fileOf(operation);
  }

  /** Apply an operation without looking. */
  apply(operation: Operation, index: number): void {
    this.turnTo(operation);
    this.#during = undefined;
    this.#cut = undefined;
    this.#sb.s_wroteBack = false;
    const how = onModel(operation);
    if ("call" in how) {
      this.#call(how, operation, patternTag(index));
      return;
    }
    const { result, read, unknown, during, cut } = how.perform(this.#files, operation, index);
    this.#result = result;
    this.#read = read;
    this.#unknown = unknown ?? NOTHING_UNKNOWN;
    this.#during = during;
    this.#cut = cut;
  }

  #call({ call, read }: ModelCall<Operation>, operation: Operation, tag: number): void {
    this.#read = undefined;
    const inode = this.inode;
    const applied = clampOperation(operation, inode.i_size);
    if (applied === undefined) {
      this.#result = 0;
      return;
    }
    const perform = (): number => call(inode, applied, tag, this.#file);
    const result = isInjected(applied) ? this.#injected(applied, perform) : perform();
    this.#result = result;
    if (read !== undefined && result >= 0) {
      this.#read = read(inode, applied, result, this.#bytesAt);
    }
  }

  /**
   * A call while the device has no room. What it refused is for the device to say: blocks that the
   * allocator chose may have been used before, and still have their room. Without being told the
   * model takes it that all were refused.
   */
  #withoutRoom(operation: Operation, call: () => number): number {
    const inode = this.inode;
    const told = this.#observed;
    if (told === undefined) return withoutRoom(inode, NO_ROOM, call);
    const failed = told.result < 0;
    const block = (lblk: number): boolean => stateAt(told.map, lblk).state !== WRITTEN;
    // A direct write that could not write back what is cached goes the same way and does not tell;
    // but what it wrote is not written. Of what is cached beside it, in its folio, nobody can tell.
    const direct = effectsOf(operation).direct === true;
    const through = direct && !failed && "len" in operation && this.#someBlock(operation, block);
    const beside = failed ? false : undefined;
    const again = (): boolean | undefined => (direct ? through || beside : failed);
    return withoutRoom(inode, { block, again, direct: failed }, call);
  }

  /** The call as the machine lets it. */
  #injected(operation: Operation, call: () => number): number {
    if (isStarved(operation)) return this.#withoutRoom(operation, call);
    const fail_nth = failNthOf(operation);
    const writes = fail_nth !== undefined && isWrite(operation) && "pos" in operation;
    return writes ? this.#withoutMemory({ pos: operation.pos, fail_nth }, call) : call();
  }

  /**
   * A write of which an allocation fails: which one only the kernel knows. Where it ended early
   * that was at the folio it had come to. If i_size moved past that, it was the last of what the
   * folio takes; if nothing is left past EOF that was there before, it was one after which what the
   * write had made there is truncated. Without being told the model counts those that it knows of.
   */
  #withoutMemory({ pos, fail_nth }: { pos: number; fail_nth: number }, call: () => number): number {
    const inode = this.inode;
    const told = this.#observed;
    if (told === undefined) {
      let left = fail_nth;
      const counted = (): boolean => --left === 0;
      return withoutMemory(inode, { folio: counted, handle: counted, truncates: false }, call);
    }
    const at = told.result === ENOMEM ? pos : pos + Math.max(told.result, 0);
    const late = told.i_size > Math.max(inode.i_size, at);
    const eof = Math.ceil(told.i_size / this.#sb.s_blocksize);
    const isPastEof = ({ lblk, len }: Extent): boolean => lblk + len > eof;
    const truncates = extentMap(inode).some(isPastEof) && !told.map.some(isPastEof);
    const folio = (from: number): boolean => !late && from === at;
    return withoutMemory(inode, { folio, handle: (from) => late && from === at, truncates }, call);
  }

  /** Whether `is` holds for a block of the range. */
  #someBlock({ pos, len }: { pos: number; len: number }, is: (lblk: number) => boolean): boolean {
    const { s_blocksize } = this.#sb;
    const end = Math.ceil((pos + len) / s_blocksize);
    for (let lblk = Math.floor(pos / s_blocksize); lblk < end; lblk++) if (is(lblk)) return true;
    return false;
  }

  #lookAfterCut(): CutLook {
    const commits = this.#sb.s_commits - this.#commitsBefore;
    if (this.inode.sizeUntold) return { unsure: true, commits, file: undefined, complaints: [] };
    const committed = afterPowerCut(this.inode);
    if (committed === undefined) return { commits, file: undefined, complaints: [] };
    const { i_disksize: i_size, i_extents } = committed;
    const map = [...i_extents].map(({ start, end, value }) => ({
      lblk: start,
      len: end - start,
      state: stateNames[value],
    }));
    const bytes = bytesAfterCut(committed, dataRanges({ i_size, map }, this.#sb.s_blocksize));
    return { commits, file: { i_size, map, bytes }, complaints: [] };
  }

  /** Blocks reserved by the files of the case. */
  get #reserved(): number {
    const [first, second] = this.#inodes;
    return (first?.i_reserved_data_blocks ?? 0) + (second?.i_reserved_data_blocks ?? 0);
  }

  #look(result: number): PausedLook {
    const { i_size } = this.inode;
    return { result, i_size, reserved: this.#reserved };
  }

  /** What a read of `len` bytes at `pos` returned; undefined where nobody will compare it. */
  protected bytesRead(pos: number, len: number): Uint8Array | undefined {
    return bytesAt(this.inode, pos, len);
  }

  /** Take from what was read the bytes that the model cannot know. */
  takeUnknown(operation: Operation, seen: Uint8Array | undefined): void {
    const read = this.#read;
    if (read === undefined || seen === undefined) return;
    const call = modelCall(operation);
    const unknown = call?.unknown?.(this.inode, operation, read.length) ?? this.#unknown;
    for (const { start, end } of unknown) read.set(seen.subarray(start, end), start);
  }

  /** Apply what came with the last operation, which is still the one whose result counts. */
  follow(operations: readonly Operation[], index: number): void {
    for (const operation of operations)
      callOnModel(this.inode, operation, patternTag(index), this.#file);
  }

  /**
   * Learn where blocks are placed, and which the device refused: of those looked at, `seen.breaks`
   * are the ones that do not follow the block before them. What was known of others stays; of
   * blocks that are gone too, since the operation that freed them may first have converted them. To
   * be called before `apply`, with what was seen after the operation.
   */
  place(operation: Operation, seen: Observation): void {
    const inode = this.inode;
    this.#observed = seen;
    const { commits } = seen;
    this.#sb.s_commitsObserved =
      commits === undefined ? undefined : commits > this.#commitsObserved;
    if (commits !== undefined) this.#commitsObserved = commits;
    const { breaks = [], map, windows = WHOLE_FILE } = seen;
    inode.saysError = seen.result === EIO;
    const goesOn = effectsOf(operation).goesOnAfterWriteback === true;
    inode.staysUnwritten = goesOn ? (lblk) => stateAt(map, lblk).state === UNWRITTEN : undefined;
    if (breaks.length === 0 && inode.breaks.size === 0) return;
    const stays = (lblk: number): boolean =>
      !windows.some((window) => window.lblk < lblk && lblk < window.end) ||
      stateAt(map, lblk).state === undefined;
    inode.breaks = new Set([...[...inode.breaks].filter(stays), ...breaks]);
  }

  /** Whether there are blocks whose state the model could only guess. */
  get guessed(): boolean {
    return this.inode.maybeZeroed.size > 0;
  }

  /**
   * Accept, for blocks whose state depends on placement that the model leaves out
   * (model/ext4/zeroout.ts), the state that was seen in `windows`. Returns how many blocks the
   * model had guessed otherwise.
   */
  adopt(seen: readonly Extent[], windows: readonly BlockRange[] = WHOLE_FILE): number {
    let guessed = 0;
    for (const { lblk, end } of windows) {
      guessed += adoptZeroed(this.inode, lblk, end, (block) => stateAt(seen, block));
    }
    const committed = this.inode.disk?.committed;
    if (committed !== undefined) committed.guessed = false;
    return guessed;
  }

  /** What can be seen in `windows`, undefined for the whole file, after the last operation. */
  observe(windows: readonly BlockRange[] | undefined): Observation {
    const inode = this.inode;
    const map: Extent[] = [];
    for (const { lblk, end } of windows ?? WHOLE_FILE) {
      // What it leaves in the extent status tree decides how far the next mapping of iomap reaches,
      // the one of direct I/O too.
      fiemap(inode, lblk, end);
      extentMap(inode, lblk, end, map);
    }
    const blocks = inode.i_extents.covered + inode.i_reserved_data_blocks;
    return {
      result: this.#result,
      i_size: inode.i_size,
      st_blocks: blocks * (this.#sb.s_blocksize / 512),
      map,
      windows,
      pieces: map.length,
      reserved: this.#reserved,
      pages: this.#knowsPages && !inode.uncertain ? cachedPages(inode) : undefined,
      cache: undefined,
      read: this.#read,
      during: this.#during,
      cut: this.#cut,
    };
  }
}

/** mm/filemap.c filemap_cachestat() */
export function cachedPages({ i_mapping }: Inode): CachedPages {
  let [cached, dirty] = [0, 0];
  for (const { order, tagged } of i_mapping) {
    cached += 1 << order;
    if (tagged) dirty += 1 << order;
  }
  return { cached, dirty };
}

/**
 * The state of an allocated block in a sorted list, undefined for any other, and where that state
 * ends.
 */
function stateAt(
  seen: readonly Extent[],
  lblk: number,
): { state: typeof WRITTEN | typeof UNWRITTEN | undefined; end: number } {
  const extent = seen[indexAfter(seen, lblk)];
  if (extent === undefined || extent.lblk > lblk) return { state: undefined, end: lblk + 1 };
  const end = extent.lblk + extent.len;
  if (extent.state === "delayed") return { state: undefined, end };
  return { state: extent.state === "written" ? WRITTEN : UNWRITTEN, end };
}
