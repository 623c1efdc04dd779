/**
 * copy_range: copy_file_range(2), from one file of the case to the other or within one.
 */
import * as z from "zod";
import { rangeOf, sizeAfterWrite } from "../../aspects/effects.ts";
import type { ByteRange, Effects } from "../../aspects/effects.ts";
import { file, ioLen, pos } from "../../case/limits.ts";

export const schema = z.strictObject({
  op: z.literal("copy_range"),
  /** It is read from there. */
  file,
  pos,
  /** It is written there: the first file where absent. */
  to: file,
  to_pos: pos,
  len: ioLen,
});

export type CopyRange = z.infer<typeof schema>;

const isWithinOne = ({ file: from = 0, to = 0 }: CopyRange): boolean => from === to;

/** Within one file only as far as the ranges do not overlap; undefined where nothing is left. */
export function clamp(o: CopyRange): CopyRange | undefined {
  const apart = isWithinOne(o) ? Math.abs(o.to_pos - o.pos) : Infinity;
  if (o.len <= apart) return o;
  return apart === 0 ? undefined : { ...o, len: apart };
}

const written = ({ to_pos, len }: CopyRange): ByteRange => rangeOf({ pos: to_pos, len });

export const effects: Effects<CopyRange> = {
  begins: { kernel: "fs/splice.c splice_file_range()", model: "model/splice.ts copy_file_range()" },
  operands: (o) => [
    `pos=${o.pos}`,
    ...(o.to === 1 ? ["to=1"] : []),
    `to_pos=${o.to_pos}`,
    `len=${o.len}`,
  ],
  kind: (o) => (isWithinOne(o) ? "copy within a file" : "copy to the other file"),

  clamp,
  clampedWhy: (o) =>
    clamp(o) === o ? undefined : "within a file, ranges that overlap are refused (EINVAL)",
  result: "written",

  into: ({ to = 0, to_pos }) => ({ file: to, pos: to_pos }),
  touches: written,

  sizeAfter: ({ to_pos }, before, result) => sizeAfterWrite({ pos: to_pos }, before, result),

  change({ pos: from, to_pos }, _index, { result }, bytes) {
    if (result > 0) bytes.copyIn(to_pos, result, from);
  },
  overwrites: written,

  dirties: written,
  onlyDirties: () => true,
};
