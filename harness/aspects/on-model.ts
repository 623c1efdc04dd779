/**
 * How an operation is performed on the model: as one call on a file, or as more than that.
 */
import type { Inode } from "../../model/include/types.ts";
import type { CutLook, PausedLook } from "../case/observation.ts";
import type { Performed } from "./performed.ts";

/** What a read of `len` bytes at `pos` returned; undefined where nobody will compare it. */
export type BytesAt = (pos: number, len: number) => Uint8Array | undefined;

/** Of what was read, bytes [start, end) that the model cannot know. */
export interface Unknown {
  readonly start: number;
  readonly end: number;
}

/** One call on the file, during which nothing else happens. */
export interface ModelCall<O> {
  /**
   * Perform it as it is, writing the bytes of region `tag` (model/include/pattern.ts). What it
   * returned: bytes, 0, or -errno. `file` has the case's files: the first time, a new one.
   */
  call(this: void, inode: Inode, operation: O, tag: number, file: (file: 0 | 1) => Inode): number;
  /** What it read, `length` bytes of it, which are at least none. Absent: it reads nothing. */
  read?(
    this: void,
    inode: Inode,
    operation: O,
    length: number,
    bytesAt: BytesAt,
  ): Uint8Array | undefined;
  /** What the model cannot know of that. */
  unknown?(this: void, inode: Inode, operation: O, length: number): readonly Unknown[];
}

/** What came of it, and what nobody can know of what was read. */
export interface ModelPerformed extends Performed {
  unknown?: readonly Unknown[];
}

/** The files of a case, for what is more than one call on one of them. */
export interface ModelFiles<D> {
  /** The file that the case is at. */
  readonly inode: Inode;
  /** What can be seen in a pause. */
  look(result: number): PausedLook;
  /** Perform what is one call, on the file as it is. */
  call(operation: D, tag: number): ModelPerformed;
  lookAfterCut(): CutLook;
  /** Unlink the file, and go on with a new one of its name. */
  replace(): void;
}

export interface ModelEvent<O, D> {
  /** Perform it as number `index` of its case. */
  perform(this: void, files: ModelFiles<D>, operation: O, index: number): ModelPerformed;
}

export type OnModel<O, D> = ModelCall<O> | ModelEvent<O, D>;
