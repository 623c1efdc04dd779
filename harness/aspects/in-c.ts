/**
 * How an operation is written in C, for a program that a kernel maintainer runs without this tool
 * (reproducer/).
 */
import type { PausedLook } from "../case/observation.ts";

/** Functions that a program has only where something in it calls them. */
export interface HelperInC {
  /** Headers, as "sys/uio.h". */
  readonly includes: readonly string[];
  /** Helpers that it calls, and that come before it. */
  readonly needs?: readonly HelperInC[];
  readonly text: string;
}

/**
 * The program, as far as an operation writes it: its main() has what comes before, a comment that
 * names the operation, and what is looked at afterwards.
 */
export interface ProgramInC<D> {
  /** The expression for a descriptor of the file that the operation is about, or of that one. */
  fd(file?: 0 | 1): string;
  /** The same of one with O_DIRECT. */
  directFd(): string;
  /** The path of the file that the operation is about, relative to where the program is. */
  readonly path: string;
  /** The expression for `readable` bytes of region `tag`, behind which memory ends. */
  buffer(tag: number, readable: number): string;
  /** The name of memory for what is read, at least `bytes` of it. */
  memory(bytes: number): string;
  /** The program has this one, and what it needs. */
  use(helper: HelperInC): void;
  include(...headers: string[]): void;
  /** Statements, a line each. */
  lines(...texts: string[]): void;
  /** A call; what it returned, or -errno, is what is looked at as the result. */
  call(expression: string): void;
  /** One of the operations during a pause, as number `at` of them, on a file of `i_size` bytes. */
  during(operation: D, at: number, tag: number): void;
  /** What must be seen in a pause; empty where that is not what the program is about. */
  readonly looks: readonly PausedLook[];
  /** What must be seen in the pause, before the first operation or after number `at` - 1. */
  look(at: number): void;
  /** Look at what a power cut would leave, where that is what the program is about. */
  lookAfterCut(): void;
  /** The file is gone, and there is a new one of its name. */
  replaced(): void;
}

export interface InC<O, D> {
  /** Perform it, as number `index` of its case, writing the bytes of region `tag`. */
  write(this: void, program: ProgramInC<D>, operation: O, tag: number, index: number): void;
}
