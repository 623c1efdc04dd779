/**
 * direct_read: pread through a descriptor with O_DIRECT, into a buffer that begins on a page. It
 * shows what is on disk.
 */
import * as z from "zod";
import { ALL_BYTES, NO_BYTES } from "../../aspects/effects.ts";
import type { Effects } from "../../aspects/effects.ts";
import { file, SECTOR_BYTES, ioLen, pos, withinBlock } from "../../case/limits.ts";

export const schema = z.strictObject({ op: z.literal("direct_read"), file, pos, len: ioLen });

export type DirectRead = z.infer<typeof schema>;

/**
 * One that begins within a sector stays within a block: where it goes on from a hole to data, that
 * comes to memory which is not aligned, and kernels differ in whether they mind (6.18 only where it
 * crosses a page).
 */
const clamp = (o: DirectRead): DirectRead =>
  o.pos % SECTOR_BYTES === 0 ? o : { ...o, len: withinBlock(o) };

export const effects: Effects<DirectRead> = {
  begins: {
    kernel: "fs/ext4/file.c ext4_dio_read_iter()",
    model: "model/ext4/file.ts ext4_dio_read_iter()",
  },
  operands: ({ pos: at, len }) => [`pos=${at}`, `len=${len}`],

  clamp,
  clampedWhy: (o) =>
    clamp(o).len === o.len ? undefined : "one that begins within a sector stays within a block",
  result: "read",
  direct: true,

  /** With what it has written back first. */
  touches: () => ALL_BYTES,
  changesNothing: true,
  /** At EOF a read ends before its length. */
  syncs: (o, result) => (result > 0 ? { pos: o.pos, end: o.pos + result } : NO_BYTES),
};
