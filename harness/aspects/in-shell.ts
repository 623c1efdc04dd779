/**
 * How an operation is written in a script of sh, with what most machines have: coreutils,
 * util-linux, e2fsprogs; and xfs_io where nothing of those does.
 */
export interface ScriptInShell {
  /** The path of the file that the operation is about, or of that one. */
  path(file?: 0 | 1): string;
  /** The next operation syncs the file. */
  readonly syncsNext: boolean;
  /** The letter that the bytes of region `tag` are, in a script. */
  letter(tag: number): string;
  /** A command that prints `len` of them. */
  bytes(tag: number, len: number): string;
  lines(...texts: string[]): void;
  /** A command; whether it succeeded is what is looked at as the result. */
  call(command: string): void;
  /** The same by xfs_io, on the file of the operation. */
  xfsIo(...commands: string[]): void;
  /** Look at what a power cut would leave, where that is what the script is about. */
  lookAfterCut(): void;
  /** The file is gone, and there is a new one of its name. */
  replaced(): void;
}

export interface InShell<O> {
  /** Why no program does it; undefined where one can. Absent: one always can. */
  cannot?(this: void, operation: O): string | undefined;
  /** Perform it, writing the bytes of region `tag`. */
  write(this: void, script: ScriptInShell, operation: O, tag: number): void;
}
