/**
 * mmap_write: stores through a shared mapping; clamped to i_size, since a store past the last page
 * is SIGBUS.
 */
import * as z from "zod";
import { EFAULT, ENOSPC } from "../../../model/include/errno.ts";
import { patternOffset, patternTag } from "../../../model/include/pattern.ts";
import { rangeOf } from "../../aspects/effects.ts";
import type { ByteRange, Effects } from "../../aspects/effects.ts";
import { FOLIO_BYTES, file, ioLen, pos } from "../../case/limits.ts";

/** Of the file that another operation is about. */
export const plain = z.strictObject({ op: z.literal("mmap_write"), pos, len: ioLen });
export const schema = plain.extend({ file });

export type MmapWrite = z.infer<typeof schema>;

/** What is inside the file; undefined where nothing is. */
export function clamp(o: MmapWrite, i_size: number): MmapWrite | undefined {
  if (o.pos >= i_size) return undefined;
  const len = Math.min(o.len, i_size - o.pos);
  return len === o.len ? o : { ...o, len };
}

/** The folios that a store may dirty. */
const foliosOf = ({ pos: at, len }: MmapWrite): ByteRange => ({
  pos: at - (at % FOLIO_BYTES),
  end: Math.ceil((at + len) / FOLIO_BYTES) * FOLIO_BYTES,
});

export const effects: Effects<MmapWrite> = {
  begins: {
    kernel: "fs/ext4/inode.c ext4_page_mkwrite()",
    model: "model/ext4/inode.ts ext4_page_mkwrite()",
  },
  operands: ({ pos: at, len }) => [`pos=${at}`, `len=${len}`],

  clamp,
  clampedWhy: (o, i_size) =>
    clamp(o, i_size) === o ? undefined : "a store past the end of the file is not driven",
  result: "status",
  recordable: () => true,

  touches: foliosOf,

  errors: [],
  /** A program's own store dies of SIGBUS then. */
  errorsWithoutSpace: [EFAULT, ENOSPC],

  change(o, index, { result }, bytes) {
    if (result < 0) bytes.loseTrack();
    else bytes.put(o.pos, o.len, patternTag(index), patternOffset(o.len));
  },
  overwrites: rangeOf,
  stores: ({ pos: at, len }, { i_size }) => [{ pos: at, len, i_size }],

  dirties: foliosOf,
  onlyDirties: () => true,
};
