/**
 * How programs do an operation: dd, truncate, fallocate, sync, rm.
 */
export interface ProcessFile {
  /** Where it lies. */
  readonly path: string;
  /** A file beside the file system, for what a program reads or writes. */
  readonly scratch: string;
  /** A new, empty file at the path. 0, or -errno. */
  create(): number;
  /** What the program read. */
  read(bytes: Uint8Array): void;
  /** The program also called fsync(2). */
  alsoSynced(): void;
}

export interface ByProcesses<O> {
  /**
   * Whether a program can do it, where a file may have `longest` bytes: dd refuses to seek past
   * that. Absent: it always can.
   */
  isPossible?(this: void, operation: O, longest: number): boolean;
  /** Do it, writing the bytes of region `tag`. Bytes, 0, or -errno. */
  perform(this: void, file: ProcessFile, operation: O, tag: number): number;
}
