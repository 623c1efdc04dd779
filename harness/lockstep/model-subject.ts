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
import { patternTag } from "../../model/include/pattern.ts";
import type { ModelConfig, Override } from "../../model/tables.ts";
import { DELAYED, UNWRITTEN, WRITTEN } from "../../model/include/types.ts";
import type { Inode, Reserve, SuperBlock } from "../../model/include/types.ts";
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
  failNthOf,
  fileOf,
  isInjected,
  isStarved,
  isWrite,
  movesBlocks,
} from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";
import { REFUSES_ALL, failsNth } from "./oracle.ts";
import type { Oracle } from "./oracle.ts";
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

const NOTHING_UNKNOWN: readonly Unknown[] = [];

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
  /** What is told of the operation that is applied. */
  #oracle: Oracle | undefined;
  /** Blocks of the last operation whose state had been guessed otherwise than it was seen. */
  guesses = 0;
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

  /**
   * `freeBlocks`: how many blocks are free and not promised; undefined where nobody knows better than
   * the model. Where the model thought otherwise, either may be right soon: the file before may not
   * have given back its blocks yet (subjects/kernel-file.ts).
   */
  begin(_operations?: readonly Operation[], freeBlocks?: number): void {
    this.end();
    this.#file(0);
    this.#sb.s_freedUnknown ||= this.#sb.beyondModel;
    this.#sb.beyondModel = false;
    this.#commitsBefore = this.#sb.s_commits;
    this.#deviatedBefore.clear();
    if (freeBlocks !== undefined && this.#reserve !== undefined) {
      this.#learnFree(freeBlocks, this.#reserve);
    }
  }

  #learnFree(blocks: number, reserve: Reserve): void {
    const sb = this.#sb;
    const doubt = Math.abs(sb.s_freeclusters_counter - sb.s_dirtyclusters_counter - blocks);
    sb.s_reserve = { ...reserve, error: reserve.error + doubt };
    sb.s_freeclusters_counter = blocks + sb.s_dirtyclusters_counter;
    sb.s_mb_free_pending = Math.min(sb.s_mb_free_pending, sb.s_freeclusters_counter);
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

  /** Apply an operation without looking; `oracle` tells what was seen after it. */
  apply(operation: Operation, index: number, oracle?: Oracle): void {
    this.turnTo(operation);
    if (oracle === undefined) {
      this.#perform(operation, index);
      return;
    }
    const inode = this.inode;
    this.#oracle = oracle;
    inode.oracle = oracle;
    // What moves blocks converts them first, where they were: what was known before is what holds
    // then.
    const moves = movesBlocks(operation);
    if (!moves) inode.breaks = oracle.breaks(inode.breaks);
    this.#perform(operation, index);
    if (moves) inode.breaks = oracle.breaks(inode.breaks);
    for (const follower of oracle.followers)
      callOnModel(this.inode, follower, patternTag(index), this.#file);
    this.#fillIn(operation, oracle);
    this.guesses = this.inode.maybeZeroed.size === 0 ? 0 : this.#adopt(oracle);
    inode.oracle = undefined;
    this.#oracle = undefined;
  }

  #perform(operation: Operation, index: number): void {
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

  /** The call as the machine lets it. */
  #injected(operation: Operation, call: () => number): number {
    const [inode, oracle, size] = [this.inode, this.#oracle, this.#sb.s_blocksize];
    if (isStarved(operation)) return withoutRoom(inode, oracle?.refusal(size) ?? REFUSES_ALL, call);
    const fail_nth = failNthOf(operation);
    if (fail_nth === undefined || !isWrite(operation) || !("pos" in operation)) return call();
    const { pos } = operation;
    const failure = oracle?.memoryFailure(pos, inode.i_size, extentMap(inode), size);
    return withoutMemory(inode, failure ?? failsNth(fail_nth), call);
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

  /** Take what was seen where the model cannot know what was read. */
  #fillIn(operation: Operation, oracle: Oracle): void {
    const read = this.#read;
    if (read === undefined) return;
    const unknown = modelCall(operation)?.unknown?.(this.inode, operation, read.length);
    oracle.fillIn(read, unknown ?? this.#unknown);
  }

  /**
   * Accept, for blocks whose state depends on placement that the model leaves out
   * (model/ext4/zeroout.ts), the state that was seen. Returns how many blocks the model had guessed
   * otherwise.
   */
  #adopt(oracle: Oracle): number {
    let guessed = 0;
    for (const { lblk, end } of oracle.windows) {
      guessed += adoptZeroed(this.inode, lblk, end, (block) => oracle.stateAt(block));
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
