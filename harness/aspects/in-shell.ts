/**
 * How an operation is written in a shell, in a script of its own and in a test of xfstests, with
 * what most machines have: coreutils, util-linux, e2fsprogs; and xfs_io, or python3, where nothing
 * of those does.
 */
export interface ScriptInShell {
  /** The path of the file that the operation is about, or of that one. */
  path(file?: 0 | 1): string;
  /** A file of the script's own, which is not on the file system. */
  own(name: string): string;
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
  /** The same once for each word that `words` prints, which is `$at` there, until one fails. */
  xfsIoEach(words: string, command: string): void;
  /** Write from memory that ends behind `readable` bytes of region `tag`; `direct`: O_DIRECT. */
  shortWrite(
    write: { pos: number; len: number; readable: number },
    tag: number,
    direct: boolean,
  ): void;
  /** Look at what a power cut would leave, where that is what the script is about. */
  lookAfterCut(): void;
  /** The file is gone, and there is a new one of its name. */
  replaced(): void;
}

export interface InShell<O> {
  /** Why no program does it; undefined where one can. Absent: one always can. */
  cannot?(this: void, operation: O): string | undefined;
  /** Groups of tests of xfstests that are about such a thing, beside rw. Absent: none. */
  groups?(this: void, operation: O): readonly string[];
  /** Perform it, writing the bytes of region `tag`. */
  write(this: void, script: ScriptInShell, operation: O, tag: number): void;
}
