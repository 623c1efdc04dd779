/**
 * Effects: what an operation declares of itself, so that nobody outside its folder asks for its
 * name. Each question has one answer for whoever asks: comparison, contract, windows, statistics,
 * recordings.
 *
 * What is absent is the usual answer, which the comment gives. Nothing here allocates where an
 * operation has nothing to say: most are asked after every operation of a run.
 */
import type { BlockRange, Observation } from "../case/observation.ts";

/** Bytes [pos, end). */
export interface ByteRange {
  readonly pos: number;
  readonly end: number;
}

export const NO_BYTES: ByteRange = { pos: 0, end: 0 };
export const ALL_BYTES: ByteRange = { pos: 0, end: Infinity };

/** The bytes that an operation names. */
export const rangeOf = ({ pos, len }: { pos: number; len: number }): ByteRange => ({
  pos,
  end: pos + len,
});

/** Blocks [lblk, end) that have a byte of the range. */
export const blocksWith = ({ pos, end }: ByteRange, blockSize: number): BlockRange => ({
  lblk: Math.floor(pos / blockSize),
  end: Math.ceil(end / blockSize),
});

/** Blocks [lblk, end) that lie wholly in the range; `end` may be before `lblk`. */
export const wholeBlocksIn = ({ pos, end }: ByteRange, blockSize: number): BlockRange => ({
  lblk: Math.ceil(pos / blockSize),
  end: Math.floor(end / blockSize),
});

/** i_size after a write that returned `result`, of a file that had `before`. */
export const sizeAfterWrite = ({ pos }: { pos: number }, before: number, result: number): number =>
  result > 0 ? Math.max(before, pos + result) : before;

/** What an operation does to the bytes of a file, as the contract follows them. */
export interface FileBytes {
  /** `count` bytes at `pos` are those of region `tag` of the pattern from byte `from` on. */
  put(pos: number, count: number, tag: number, from: number): void;
  /** Bytes [pos, end) read as zero. */
  remove(pos: number, end: number): void;
  /** Bytes from `from` on move by `by`. */
  move(from: number, by: number): void;
  /** `count` bytes at `pos` are those that the file which the operation reads has at `from`. */
  copyIn(pos: number, count: number, from: number): void;
  /** Nobody can say any more what the file holds. */
  loseTrack(): void;
}

/** A store through a mapping, and where the file ended then. */
export interface Store {
  readonly pos: number;
  readonly len: number;
  readonly i_size: number;
}

/** What operands must be together. */
export interface Rule<O> {
  check(this: void, operation: O): boolean;
  readonly says: { error: string; path: string[] };
}

export interface Effects<O> {
  // What it looks like.

  /**
   * Where a reader begins who wants to know why it came to that: "file function()" of the kernel,
   * by its tree, and of the model.
   */
  readonly begins: { readonly kernel: string; readonly model: string };
  /** Its operands as a person reads them, but what makes the machine fail it. */
  operands(this: void, operation: O): string[];
  /** The row of statistics that it counts in; its name where absent. */
  kind?(this: void, operation: O, i_size: number): string;
  /** What it is called where there is little room; its name where absent. */
  shortName?(this: void, operation: O): string;
  /** What stands before the blocks that it touched in a report; its name where absent. */
  readonly label?: string;

  /** What its operands must be together, beside what each may be. Absent: anything. */
  readonly rules?: readonly Rule<O>[];

  // How it is applied.

  /**
   * It as it is applied to a file of `i_size` bytes, itself where it stands; undefined where
   * nothing is left to do. Absent: it always stands.
   */
  clamp?(this: void, operation: O, i_size: number): O | undefined;
  /** Why it is not applied as it stands; undefined where it is. Absent: it always is. */
  clampedWhy?(this: void, operation: O, i_size: number): string | undefined;
  /** What a result that is no error counts: bytes written, bytes read, calls, or nothing. */
  readonly result: "written" | "read" | "calls" | "status";
  /** It goes past the page cache. */
  readonly direct?: true;
  /** Operations that are performed in the middle of it. Absent: none. */
  during?(this: void, operation: O): readonly unknown[];
  /** The case goes on with a new file of the same name. */
  readonly replacesFile?: true;
  /**
   * What of a kernel, or of a file system, it cannot do without and not all have, for whoever asks
   * why it was not done. Absent: nothing.
   */
  takes?(this: void, operation: O): string | undefined;
  /** It looks at what a power cut would leave. */
  readonly cutsPower?: true;
  /** Versions 1 and 2 of recordings can hold it. Absent: they cannot. */
  recordable?(this: void, operation: O): boolean;
  /** It waits for the device, so that it can say what that refused. Absent: it does not. */
  meetsDevice?(this: void, operation: O): boolean;
  /**
   * It begins to write back and does not wait for that; what is in memory then depends on whether
   * it is done. Absent: it does not.
   */
  startsWriteback?(this: void, operation: O): boolean;
  /** The device may have no room for it. Absent: where it waits for that. */
  canStarve?(this: void, operation: O): boolean;
  /** An allocation of memory may fail in it. Absent: none may. */
  canLackMemory?(this: void, operation: O): boolean;
  /** A round of its copy may end early, even where the machine fails nothing. Absent: none does. */
  mayEndShort?(this: void, operation: O): boolean;
  /**
   * It goes on after it has written back, or others have, before anybody can look. Absent: it does
   * not.
   */
  readonly goesOnAfterWriteback?: true;

  // What it is about.

  /**
   * The file that it changes, and the first byte there, where it takes bytes from its own file and
   * position and puts them elsewhere; its operand `to` names that file. Absent: it is about those.
   */
  into?(this: void, operation: O): { readonly file: 0 | 1; readonly pos: number };
  /** Bytes that it is about. Absent: [pos, pos + len), or the whole file where it names none. */
  range?(this: void, operation: O, i_size: number): ByteRange;
  /** Bytes of which it may change the state without writing back, with i_size before and after. */
  touches(this: void, operation: O, before: number, after: number): ByteRange;

  // What its result must be, where there is room and memory.

  /** Bytes of its buffer that a write can read, in the end. For what counts bytes written. */
  readable?(this: void, operation: O): number;
  /** Bytes that a file may have in it. Absent: as many as the file system lets it. */
  limit?(this: void, operation: O): number;
  /**
   * Errors that it may return whatever the file. Absent: its result has a promise of its own, or it
   * always succeeds.
   */
  readonly errors?: readonly number[];
  /** Errors that it may return besides, where space has run out. Absent: ENOSPC. */
  readonly errorsWithoutSpace?: readonly number[];
  /**
   * i_size after it returned `result`, of a file that had `before`; -1 where it does not say.
   * Absent: as before.
   */
  sizeAfter?(this: void, operation: O, before: number, result: number): number;

  // What becomes of the bytes.

  /** What it did to the file's bytes, as number `index` of its case. Absent: nothing. */
  change?(
    this: void,
    operation: O,
    index: number,
    seen: Pick<Observation, "result" | "during">,
    bytes: FileBytes,
  ): void;
  /** Whether it may have changed something of the file, even where it fails. */
  readonly changesNothing?: true;
  /** Bytes that a power cut may leave as they were or as it makes them. Absent: none. */
  overwrites?(this: void, operation: O): ByteRange;
  /** Bytes that are on disk for good, once it succeeded and returned `result`. Absent: none. */
  persists?(this: void, operation: O, result: number, i_size: number): ByteRange;
  /** The stores through a mapping that it is made of. Absent: none. */
  stores?(this: void, operation: O, seen: Pick<Observation, "i_size" | "during">): readonly Store[];

  // What becomes of the blocks.

  /** Bytes whose dirty data it has written back, once it succeeded. Absent: none. */
  syncs?(this: void, operation: O, result: number): ByteRange;
  /** It writes back all that is dirty, and commits. */
  readonly syncsAll?: true;
  /** Bytes of which it may make any block delayed. Absent: none. */
  dirties?(this: void, operation: O): ByteRange;
  /** It dirties page cache, and writes nothing of it back. Absent: it does not. */
  onlyDirties?(this: void, operation: O): boolean;
  /** Bytes whose blocks it may free, of a file of `before` bytes. Absent: none. */
  frees?(this: void, operation: O, before: number, blockSize: number): ByteRange;
  /**
   * It moves blocks: what was known of a block before says nothing of the block that has its number
   * after.
   */
  movesBlocks?(this: void, operation: O): boolean;
  /** By how many bytes what is behind its range moves towards the end. Absent: by none. */
  movesBy?(this: void, operation: O): number;
  /** The size to which it cuts the file. Absent: it does not cut it. */
  cutsTo?(this: void, operation: O): number | undefined;
  /** Bytes that it makes a hole, before EOF. Absent: none. */
  punches?(this: void, operation: O): ByteRange | undefined;
  /** Bytes that it inserts, as a hole. Absent: none. */
  inserts?(this: void, operation: O): ByteRange | undefined;
  /** Bytes that it leaves without a hole. Absent: none. */
  allocates?(this: void, operation: O): ByteRange | undefined;
  /** It zeroes a range, which stays allocated. Absent: it does not. */
  zeroes?(this: void, operation: O): boolean;
}
