/**
 * direct_write: pwrite through a descriptor with O_DIRECT, from a buffer that begins on a page.
 */
import * as z from "zod";
import { directBytes, patternOffset, patternTag } from "../../../model/include/pattern.ts";
import { PAGE_SIZE } from "../../../model/include/types.ts";
import { ALL_BYTES, NO_BYTES, rangeOf, sizeAfterWrite } from "../../aspects/effects.ts";
import type { Effects, Rule } from "../../aspects/effects.ts";
import {
  file,
  SECTOR_BYTES,
  ioLen,
  isAligned,
  pos,
  readableWithinLen,
  ruled,
  starved,
  withinBlock,
} from "../../case/limits.ts";

const operands = z.strictObject({
  op: z.literal("direct_write"),
  file,
  pos,
  len: ioLen,
  readable: z.int().min(0),
  starved,
});

const rules: readonly Rule<z.infer<typeof operands>>[] = [
  readableWithinLen,
  {
    check: (o) => o.readable === o.len || o.starved === undefined,
    says: { error: "which of two errors a direct write returns is a race", path: ["starved"] },
  },
];

export const schema = ruled(operands, rules);

export type DirectWrite = z.infer<typeof schema>;

/**
 * Whole pages of the buffer can be read or not. And a direct write that fails leaves what it did
 * until then, mapping by mapping, and how far each reaches depends on where blocks lie on the disk.
 * So one that is not aligned stays within a block, and of one whose memory ends early only the last
 * sector cannot be read. And one without room stays within a page, which is a block there: it ends
 * with the first request that has failed, and how many were sent out by then is chance.
 */
function clamp(o: DirectWrite): DirectWrite {
  const { len, readable } = o;
  if (!isAligned(o)) {
    const within = withinBlock(o);
    return { ...o, len: within, readable: readable < len ? 0 : within };
  }
  if (o.starved === true) {
    const within = withinBlock(o, PAGE_SIZE);
    return { ...o, len: within, readable: within };
  }
  if (readable === len) return o;
  const pages = readable - (readable % PAGE_SIZE);
  return { ...o, len: Math.min(len, pages + SECTOR_BYTES), readable: pages };
}

export const effects: Effects<DirectWrite> = {
  begins: {
    kernel: "fs/ext4/file.c ext4_dio_write_iter()",
    model: "model/ext4/file.ts ext4_dio_write_iter()",
  },
  operands: ({ pos: at, len, readable }) => [
    `pos=${at}`,
    `len=${len}`,
    ...(readable === len ? [] : [`readable=${readable}`]),
  ],
  rules,
  /** They differ in how they lie, which 512 bytes decide, and whether memory ends early. */
  kind(o) {
    if (!isAligned(o)) return "direct write, unaligned";
    return `direct write, ${o.readable === o.len ? "whole" : "short"}`;
  },

  clamp,
  clampedWhy(o) {
    const { len, readable } = clamp(o);
    if (len === o.len && readable === o.readable) return undefined;
    if (!isAligned(o)) return "one that is not aligned to sectors stays within a block";
    if (o.starved === true) return "one without room stays within a page";
    return "of one whose memory ends early only the last sector cannot be read";
  },
  result: "written",
  direct: true,
  meetsDevice: () => true,
  canStarve: ({ readable, len }) => readable === len,
  mayEndShort: ({ readable, len }) => readable < len,
  goesOnAfterWriteback: true,

  /** With what it has written back first, which may be all of a folio or of a delayed extent. */
  touches: () => ALL_BYTES,

  readable: (o) => o.readable,
  sizeAfter: sizeAfterWrite,

  change(o, index, { result }, bytes) {
    const { readable } = o;
    const from = patternOffset(directBytes(readable));
    if (result > 0) bytes.put(o.pos, result, patternTag(index), from);
    // What it could read before it failed may be on disk.
    else if (result < 0 && readable > 0 && isAligned(o)) bytes.loseTrack();
  },
  overwrites: rangeOf,

  /**
   * It went past the page cache, or through it with nothing left there. Without room it may be
   * there.
   */
  syncs: (o, result) => (o.starved === true ? NO_BYTES : { pos: o.pos, end: o.pos + result }),
  /** It goes through the page cache where it cannot do without. */
  dirties: rangeOf,
};
