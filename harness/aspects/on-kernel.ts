/**
 * How an operation is performed by system calls: as one call on a file, or as more than that.
 */
import type { CutLook, PausedLook } from "../case/observation.ts";
import type { Performed } from "./performed.ts";
import type { Syscalls } from "../system/syscalls.ts";
import type { UserBuffer } from "../system/user-buffer.ts";

/** The open file, for calls on it. */
export interface OpenFile {
  readonly calls: Syscalls;
  /** Its descriptor. */
  readonly fd: number;
  /** The descriptor of one of the case's files: the first time, of a new one. */
  fdOf(file: 0 | 1): number;
  /** A descriptor of it with O_DIRECT, opened on first use. */
  readonly directFd: number;
  /** What writes write from. */
  readonly user: UserBuffer;
  /** Memory that reads read to, MAX_IO_BYTES of it, on a page. */
  readonly memory: number;
}

/** One call on the file, during which nothing else happens. */
export interface KernelCall<O> {
  /**
   * Perform it as it is, writing the bytes of region `tag` (model/include/pattern.ts). What it
   * returned: bytes, 0, or -errno.
   */
  call(this: void, file: OpenFile, operation: O, tag: number): number;
  /**
   * Whether all that it touches is one page, so that which folios it gets does not depend on
   * memory. Absent: it gets none.
   */
  staysInPage?(this: void, operation: O): boolean;
  /**
   * Whether this kernel can. Asked between cases, so that it may be tried on `file`, which is removed
   * before the next one. Absent: every kernel can.
   */
  isPossible?(this: void, operation: O, file: OpenFile): boolean;
}

/** The files of a case, for what is more than one call on one of them. */
export interface KernelFiles<D> {
  /** Descriptor of the file that the case is at. */
  readonly fd: number;
  /** What can be seen in a pause. */
  look(result: number): PausedLook;
  /** Perform what is one call, on a file of `i_size` bytes. */
  call(operation: D, i_size: number, tag: number): Performed;
  lookAfterCut(): CutLook;
  /** Unlink the file, and go on with a new one of its name. 0, or -errno. */
  replace(): number;
}

export interface KernelEvent<O, D> {
  perform(this: void, files: KernelFiles<D>, operation: O, index: number): Performed;
  /** Whether this kernel can, on a file system of which power cuts can be followed or not. */
  isPossible?(this: void, cutsCanBeFollowed: boolean): boolean;
}

export type OnKernel<O, D> = KernelCall<O> | KernelEvent<O, D>;
