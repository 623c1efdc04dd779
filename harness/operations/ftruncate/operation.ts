/**
 * ftruncate: in both directions.
 */
import * as z from "zod";
import { EFBIG } from "../../../model/include/errno.ts";
import { NO_BYTES } from "../../aspects/effects.ts";
import type { Effects } from "../../aspects/effects.ts";
import { file, pos } from "../../case/limits.ts";

export const schema = z.strictObject({ op: z.literal("ftruncate"), file, size: pos });

export type Ftruncate = z.infer<typeof schema>;

export const effects: Effects<Ftruncate> = {
  begins: {
    kernel: "fs/ext4/inode.c ext4_setattr()",
    model: "model/ext4/truncate.ts ext4_setattr()",
  },
  operands: ({ size }) => [`size=${size}`],
  kind: ({ size }, i_size) => (size < i_size ? "truncate, shorter" : "truncate, longer"),
  result: "status",
  recordable: () => true,

  range: ({ size }, i_size) => ({ pos: Math.min(size, i_size), end: Math.max(size, i_size) }),
  touches: (_, before, after) => ({ pos: Math.min(before, after), end: Infinity }),

  errors: [EFBIG],
  sizeAfter: ({ size }, before, result) => (result >= 0 ? size : before),

  change({ size }, _, { result }, bytes) {
    if (result === 0) bytes.remove(size, Infinity);
  },
  overwrites: ({ size }) => ({ pos: size, end: Infinity }),

  frees: ({ size }, before) => (size <= before ? { pos: size, end: Infinity } : NO_BYTES),
  cutsTo: ({ size }) => size,
};
