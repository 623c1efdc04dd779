/**
 * Step: everything that a promise may look at. One operation, what was seen right after it, and
 * what the operations and observations before it left behind. Promises read it and never change it.
 */
import type { IntervalMap } from "../../../model/include/interval-map.ts";
import type { Extent, BlockRange, Observation } from "../../case/observation.ts";
import { movesBlocks } from "../../operations/operation.ts";
import type { DivergenceKind, Severity } from "../../finding/severity.ts";
import type { Operation } from "../../operations/operation.ts";
import type { Contents } from "./contents.ts";

/** What of the file system under test decides which promises were made. */
export interface ContractOptions {
  /** Which code buffered I/O goes through: some promises are only the patch's. */
  path: "buffer_head" | "iomap";
  /** Bytes. */
  blockSize: number;
  /** Mounted with delayed allocation. */
  delalloc: boolean;
  /**
   * It may run out of space, and a write may end short of its buffer because of that. Absent: it
   * has room.
   */
  mayFillUp?: boolean;
  /**
   * A file may be shorter at most than one with extents and huge_file: what reaches far out may be
   * refused. Absent: it may not.
   */
  filesEndEarly?: boolean;
  /** The kernel may write back at any time what nobody asked it to. Absent: it does not. */
  mayWriteBack?: boolean;
}

export interface Step {
  /** May change in a case, by `Contract.mayFillUp` and `mayWriteBack`. */
  options: ContractOptions;
  /** The call as it was made; undefined where nothing was left to do (a store wholly past EOF). */
  operation: Operation | undefined;
  /** It succeeded; a write did where it wrote a byte. */
  succeeded: boolean;
  seen: Observation;
  /** The blocks that `seen` tells of. */
  windows: readonly BlockRange[];
  /**
   * The map as it was known before; of blocks that were never looked at since, as it was when they
   * were.
   */
  before: readonly Extent[];
  /** st_size before, bytes. */
  sizeBefore: number;
  /** Whether the map may have changed where it is visible. */
  mapChanged: boolean;
  /**
   * Blocks of which dirty data must have been written back: [lblk, end), empty where the operation
   * does not.
   */
  syncedFrom: number;
  syncedEnd: number;
  /** Bytes behind the position that it reads from, up to EOF; Infinity where that is no file. */
  readableInSource: number;
  /** The bytes of the file, with what the operation did to them. */
  contents: Contents;
  /**
   * Blocks without any, over which page cache may be dirty all the same (iomap only, see
   * `Contract`).
   */
  maybeDirty: IntervalMap<true>;
  /** Most physical extents seen in the case, the ones of `seen` included. */
  pieces: number;
  /**
   * The file as it was when its last fsync returned; undefined where it has changed since, or was
   * not seen whole.
   */
  synced: { i_size: number; map: readonly Extent[] } | undefined;
  /**
   * The device had no room in this operation or one before it, of this file: a sync may say so now,
   * or say what was not said yet.
   */
  starved: boolean;
  /**
   * A call has moved i_size that it should have left, as a known deviation does: which of the two
   * sizes the disk has is its own matter.
   */
  sizeUntold: boolean;
  /**
   * The device refused data on the iomap path, which tells the journal of a size once the data is
   * on disk: how large the file is there, nobody promises.
   */
  sizeRefused: boolean;
  /**
   * Blocks of the case's other file that were delayed when it was left; undefined where not all of
   * it was looked at.
   */
  otherDelayed: number | undefined;
  /** Bytes that were synced, by whatever call, and that nothing has touched since. */
  durable: IntervalMap<true>;
}

/** One thing that the write path promises. */
export interface ContractPromise {
  /** Short and unique, as it appears in reports. */
  readonly id: string;
  /** One sentence. */
  readonly claim: string;
  /** What it means to whoever has data there that it is broken. */
  readonly severity: Severity;
  /** What of an observation it is about: where a program must look that shows it broken. */
  readonly about: readonly DivergenceKind[];
  /**
   * Who made it: a manual page, the kernel's documentation, the patch's text, or what follows from
   * which.
   */
  readonly source: string;
  /** File systems for which it was made; all where absent. */
  readonly appliesTo?: (options: ContractOptions) => boolean;
  /**
   * What is wrong, in words, one line; undefined where the promise is kept, or nothing that is
   * visible says otherwise.
   */
  readonly check: (step: Step) => string | undefined;
}

/** Whether the operation moved blocks. */
export function movedBlocks({ operation, succeeded }: Step): boolean {
  return succeeded && operation !== undefined && movesBlocks(operation);
}

/** What is seen of a fresh, empty file. */
export const FRESH_FILE: Observation = {
  result: 0,
  i_size: 0,
  st_blocks: 0,
  map: [],
  pieces: 0,
  reserved: 0,
  cache: undefined,
  read: undefined,
};
