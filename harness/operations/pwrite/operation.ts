/**
 * pwrite: a buffered write at a position, whole, and ending short because the tail of its buffer is
 * not mapped; in pieces, to the end of the file, with a sync, not to be kept in memory, up to a
 * limit.
 */
import * as z from "zod";
import { patternOffset, patternTag } from "../../../model/include/pattern.ts";
import { NO_BYTES, rangeOf, sizeAfterWrite } from "../../aspects/effects.ts";
import type { ByteRange, Effects, Rule } from "../../aspects/effects.ts";
import {
  file,
  fail_nth,
  ioLen,
  pos,
  readableWithinLen,
  ruled,
  starved,
} from "../../case/limits.ts";

/** Pieces of a buffer, but the last. */
export const MAX_PIECES = 7;

/** Whether it writes back nothing of what it dirties. */
const onlyDirties = ({ sync, dontcache }: { sync?: unknown; dontcache?: unknown }): boolean =>
  sync === undefined && dontcache === undefined;

const operands = z.strictObject({
  op: z.literal("pwrite"),
  file,
  pos,
  len: ioLen,
  /** Bytes of the user buffer that are mapped, from its start; the rest faults. */
  readable: z.int().min(0),
  /**
   * Lengths of the pieces of the buffer but the last, which has the rest: pwritev2(2) takes it
   * from there.
   */
  iov: z.array(z.int().min(0)).min(1).max(MAX_PIECES).optional(),
  /** RWF_APPEND: `pos` does not matter, the file's end does. */
  append: z.literal(true).optional(),
  /** RWF_DSYNC or RWF_SYNC. */
  sync: z.enum(["data", "all"]).optional(),
  /** RWF_DONTCACHE, where a kernel has it that begins to write back within the call. */
  dontcache: z.literal(true).optional(),
  /** RLIMIT_FSIZE during the call, bytes. */
  limit: z.optional(pos),
  starved,
  fail_nth,
});

const rules: readonly Rule<z.infer<typeof operands>>[] = [
  readableWithinLen,
  {
    check: (o) => o.fail_nth === undefined || (o.readable === o.len && onlyDirties(o)),
    says: {
      error: "a write ends early for one reason, and is not written back where it does",
      path: ["fail_nth"],
    },
  },
  {
    check: (o) => o.sync !== undefined || o.starved === undefined,
    says: { error: "only a write that is synced meets the device", path: ["starved"] },
  },
];

export const schema = ruled(operands, rules);

export type Pwrite = z.infer<typeof schema>;

/** A write that takes nothing but pwrite(2): what recordings hold, and what dd can do. */
export function isPlain({ iov, append, sync, dontcache, limit }: Pwrite): boolean {
  return [iov, append, sync, dontcache, limit].every((extra) => extra === undefined);
}

/** Lengths of the pieces of the buffer, which add up to its length. */
export function piecesOf({ len, iov = [] }: Pwrite): number[] {
  const pieces: number[] = [];
  let left = len;
  for (const wanted of iov) {
    const length = Math.min(wanted, left);
    pieces.push(length);
    left -= length;
  }
  return [...pieces, left];
}

/** What was written. */
const written = ({ pos: at }: Pwrite, result: number): ByteRange => ({ pos: at, end: at + result });

export const effects: Effects<Pwrite> = {
  begins: {
    kernel: "fs/ext4/file.c ext4_buffered_write_iter()",
    model: "model/file-system.ts pwrite()",
  },
  operands: ({ pos: at, len, readable, iov, append, sync, dontcache, limit }) => [
    append === true ? "append" : `pos=${at}`,
    `len=${len}`,
    ...(readable === len ? [] : [`readable=${readable}`]),
    ...(iov === undefined ? [] : [`iov=${iov.join("+")}+`]),
    ...(sync === undefined ? [] : [sync === "data" ? "DSYNC" : "SYNC"]),
    ...(dontcache === undefined ? [] : ["DONTCACHE"]),
    ...(limit === undefined ? [] : [`limit=${limit}`]),
  ],
  rules,
  kind({ readable, len, iov, append, sync, dontcache, limit }) {
    const end = readable === len ? "whole" : readable === 0 ? "nothing to read" : "short";
    const extras = [
      ...(iov === undefined ? [] : ["in pieces"]),
      ...(append === undefined ? [] : ["append"]),
      ...(sync === undefined ? [] : ["synced"]),
      ...(dontcache === undefined ? [] : ["not cached"]),
      ...(limit === undefined ? [] : ["limited"]),
    ];
    // Of several the first: each is rare, and together they are another combination each.
    return `write, ${extras[0] ?? end}`;
  },
  shortName: ({ readable, len }) => (readable < len ? "short pwrite" : "pwrite"),

  clamp: (o, i_size) => (o.append === true ? { ...o, pos: i_size } : o),
  result: "written",
  takes: ({ dontcache }) =>
    dontcache === undefined
      ? undefined
      : "RWF_DONTCACHE that writes back within the call, as Linux 6.18 has it",
  recordable: isPlain,
  meetsDevice: ({ sync }) => sync !== undefined,
  startsWriteback: ({ sync, dontcache }) => sync === undefined && dontcache === true,
  canLackMemory: (o) => o.readable === o.len && onlyDirties(o),
  mayEndShort: ({ readable, len }) => readable < len,

  touches: rangeOf,

  readable: (o) => o.readable,
  limit: (o) => o.limit ?? Infinity,
  sizeAfter: sizeAfterWrite,

  change(o, index, { result }, bytes) {
    if (result > 0) bytes.put(o.pos, result, patternTag(index), patternOffset(o.readable));
  },
  overwrites: rangeOf,
  persists: (o, result) => (o.sync === undefined ? NO_BYTES : written(o, result)),

  syncs: (o, result) => (onlyDirties(o) ? NO_BYTES : written(o, result)),
  dirties: rangeOf,
  onlyDirties,
};
