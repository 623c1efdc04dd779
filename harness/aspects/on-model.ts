/**
 * How an operation is performed on the model: as one call on a file, or as more than that.
 */
import type { Inode } from "../../model/include/types.ts";
import type { CutLook, PausedLook } from "../case/observation.ts";

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
   * returned: bytes, 0, or -errno.
   */
  call(this: void, inode: Inode, operation: O, tag: number): number;
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

/** What came of what is more than one call. */
export interface Performed {
  /** Bytes, 0, or -errno. */
  result: number;
  read?: Uint8Array | undefined;
  /** What the model cannot know of that. */
  unknown?: readonly Unknown[];
  during?: PausedLook[] | undefined;
  cut?: CutLook;
}

/** The files of a case, for what is more than one call on one of them. */
export interface ModelFiles {
  /** The file that the case is at. */
  readonly inode: Inode;
  readonly bytesAt: BytesAt;
  /** What can be seen in a pause. */
  look(result: number): PausedLook;
  lookAfterCut(): CutLook;
  /** Unlink the file, and go on with a new one of its name. */
  replace(): void;
}

export interface ModelEvent<O> {
  /** Perform it as number `index` of its case. */
  perform(this: void, files: ModelFiles, operation: O, index: number): Performed;
}

export type OnModel<O> = ModelCall<O> | ModelEvent<O>;
