/**
 * pread: a buffered read.
 */
import * as z from "zod";
import { rangeOf } from "../../aspects/effects.ts";
import type { Effects } from "../../aspects/effects.ts";
import { file, ioLen, pos } from "../../case/limits.ts";

/** Of the file that another operation is about. */
export const plain = z.strictObject({ op: z.literal("pread"), pos, len: ioLen });
export const schema = plain.extend({ file });

export type Pread = z.infer<typeof schema>;

export const effects: Effects<Pread> = {
  begins: { kernel: "mm/filemap.c filemap_read()", model: "model/file-system.ts pread()" },
  operands: ({ pos: at, len }) => [`pos=${at}`, `len=${len}`],
  result: "read",
  recordable: () => true,
  touches: rangeOf,
  changesNothing: true,
};
