/**
 * pwrite: a buffered write at a position, whole, and ending short because the tail of its buffer is
 * not mapped; in pieces, to the end of the file, with a sync, up to a limit.
 */
import * as z from "zod";
import { patternOffset, patternTag } from "../../../model/include/pattern.ts";
import { NO_BYTES, rangeOf, sizeAfterWrite } from "../../aspects/effects.ts";
import type { ByteRange, Effects } from "../../aspects/effects.ts";
import { file, fail_nth, ioLen, pos, readableWithinLen, starved } from "../../case/limits.ts";

/** Pieces of a buffer, but the last. */
export const MAX_PIECES = 7;

export const schema = z
  .strictObject({
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
    /** RLIMIT_FSIZE during the call, bytes. */
    limit: pos.optional(),
    starved,
    fail_nth,
  })
  .refine(readableWithinLen.check, readableWithinLen.says)
  .refine((o) => o.fail_nth === undefined || (o.readable === o.len && o.sync === undefined), {
    error: "a write ends early for one reason, and is not synced where it does",
    path: ["fail_nth"],
  })
  .refine((o) => o.sync !== undefined || o.starved === undefined, {
    error: "only a write that is synced meets the device",
    path: ["starved"],
  });

export type Pwrite = z.infer<typeof schema>;

/** A write that takes nothing but pwrite(2): what recordings hold, and what dd can do. */
export function isPlain({ iov, append, sync, limit }: Pwrite): boolean {
  return iov === undefined && append === undefined && sync === undefined && limit === undefined;
}

/** What a write that is synced has put on disk. */
const syncs = ({ pos: at, sync }: Pwrite, result: number): ByteRange =>
  sync === undefined ? NO_BYTES : { pos: at, end: at + result };

export const effects: Effects<Pwrite> = {
  operands: ({ pos: at, len, readable, iov, append, sync, limit }) => [
    append === true ? "append" : `pos=${at}`,
    `len=${len}`,
    ...(readable === len ? [] : [`readable=${readable}`]),
    ...(iov === undefined ? [] : [`iov=${iov.join("+")}+`]),
    ...(sync === undefined ? [] : [sync === "data" ? "DSYNC" : "SYNC"]),
    ...(limit === undefined ? [] : [`limit=${limit}`]),
  ],
  kind({ readable, len, iov, append, sync, limit }) {
    const end = readable === len ? "whole" : readable === 0 ? "nothing to read" : "short";
    const extras = [
      ...(iov === undefined ? [] : ["in pieces"]),
      ...(append === undefined ? [] : ["append"]),
      ...(sync === undefined ? [] : ["synced"]),
      ...(limit === undefined ? [] : ["limited"]),
    ];
    // Of several the first: each is rare, and together they are another combination each.
    return `write, ${extras[0] ?? end}`;
  },
  shortName: ({ readable, len }) => (readable < len ? "short pwrite" : "pwrite"),

  clamp: (o, i_size) => (o.append === true ? { ...o, pos: i_size } : o),
  result: "written",
  recordable: isPlain,
  meetsDevice: ({ sync }) => sync !== undefined,
  canLackMemory: ({ readable, len, sync }) => readable === len && sync === undefined,
  mayEndShort: ({ readable, len }) => readable < len,

  touches: rangeOf,

  readable: (o) => o.readable,
  limit: (o) => o.limit ?? Infinity,
  sizeAfter: sizeAfterWrite,

  change(o, index, { result }, bytes) {
    if (result > 0) bytes.put(o.pos, result, patternTag(index), patternOffset(o.readable));
  },
  overwrites: rangeOf,
  persists: syncs,

  syncs,
  dirties: rangeOf,
  onlyDirties: ({ sync }) => sync === undefined,
};
