/**
 * How an operation is written in a file of operations of fsx (ltp/fsx.c of xfstests, read_op() and
 * test()), which plays them on one file and knows itself what must be in it.
 */
export interface FileInFsx {
  /** Bytes, before the operation. */
  i_size: number;
  /** The next operation syncs the file. */
  syncsNext: boolean;
}

/** A line, less the size of the file that ends its numbers. */
export interface LineInFsx {
  name: string;
  /** As many as fsx asks for: an offset and a length; of copy_range where to as well. */
  numbers: readonly number[];
  flags?: readonly string[];
}

export interface InFsx<O> {
  /** Why fsx does no such thing; undefined where it does. Absent: it always does. */
  cannot?(this: void, operation: O, file: FileInFsx): string | undefined;
  /** The line; undefined where it changes nothing and fsx would do something else. */
  line(this: void, operation: O, file: FileInFsx): LineInFsx | undefined;
}

/** How an operation is written for which fsx has no call. */
export const notInFsx = (why: string): InFsx<unknown> => ({
  cannot: () => why,
  line: () => undefined,
});
