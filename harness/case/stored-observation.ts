/**
 * An Observation as JSON holds it, without loss: its members under their names, extents as short
 * lists, bytes packed. What comes out of it is safe to hold against the model: whole numbers in
 * range, lists that are sorted.
 */
import * as z from "zod";
import { EXT_MAX_BLOCKS } from "../../model/include/types.ts";
import { MAX_ENTRIES, MAX_POS_BYTES } from "./limits.ts";
import { EXTENT_STATES } from "./observation.ts";
import type { BlockRange, Observation } from "./observation.ts";
import { packedBytesSchema } from "./packed-bytes.ts";

/** Largest errno of the kernel (include/linux/err.h MAX_ERRNO). */
const MAX_ERRNO = 4095;

const UNSORTED = { error: "is not sorted, or overlaps" };

const count = z.int().min(0);
const result = z.int().min(-MAX_ERRNO);
const size = z.int().min(0).max(MAX_POS_BYTES);
const block = z.int().min(0).max(EXT_MAX_BLOCKS);
const blocks = z.int().min(1).max(EXT_MAX_BLOCKS);

/** Whether each entry begins where the one before it ends, or later, and none ends too far. */
function areInOrder(entries: readonly (readonly [number, number, string])[]): boolean {
  let end = 0;
  return entries.every(([lblk, len]) => lblk >= end && (end = lblk + len) <= EXT_MAX_BLOCKS);
}

/** Extents with these states: [first block, blocks, state]. */
function extentsOf<S extends string>(states: readonly [S, ...S[]]) {
  const state = z.custom<S>((value) => states.includes(value as S), {
    error: `is none of ${states.join(", ")}`,
  });
  const entries = z.array(z.tuple([block, blocks, state])).max(MAX_ENTRIES);
  const extents = z.array(z.custom<{ lblk: number; len: number; state: S }>());
  return z.codec(entries.refine(areInOrder, UNSORTED), extents, {
    decode: (list) => list.map(([lblk, len, is]) => ({ lblk, len, state: is })),
    encode: (list) =>
      list.map(({ lblk, len, state: is }) => [lblk, len, is] as [number, number, S]),
  });
}

const map = extentsOf(EXTENT_STATES);

/** Whether windows are apart, and none is empty; null, in the last, is the end of the file. */
function areApart(windows: readonly (readonly [number, number | null])[]): boolean {
  let before = -1;
  return windows.every(([lblk, end]) => {
    const right = lblk > before && (end === null || end > lblk);
    before = end ?? Infinity;
    return right;
  });
}

/** [first block, end]. */
const windows = z.codec(
  z
    .array(z.tuple([block, block.nullable()]))
    .max(MAX_ENTRIES)
    .refine(areApart, UNSORTED),
  z.array(z.custom<BlockRange>()),
  {
    decode: (list) => list.map(([lblk, end]) => ({ lblk, end: end ?? Infinity })),
    encode: (list) =>
      list.map(({ lblk, end }): [number, number | null] => [
        lblk,
        end > EXT_MAX_BLOCKS ? null : end,
      ]),
  },
);

const breaks = z
  .array(block)
  .max(MAX_ENTRIES)
  .refine((list) => list.every((at, i) => i === 0 || at > list[i - 1]!), UNSORTED);

const cut = z.strictObject({
  unsure: z.literal(true).optional(),
  commits: z.int(),
  file: z.strictObject({ i_size: size, map, bytes: packedBytesSchema.optional() }).optional(),
  complaints: z.array(z.string().max(10_000)).max(1000),
});

/** An Observation on one side, on the other what JSON holds of it. */
export const observationSchema = z.strictObject({
  result,
  i_size: size,
  st_blocks: count,
  map,
  windows: windows.optional(),
  pieces: count.max(EXT_MAX_BLOCKS),
  breaks: breaks.optional(),
  reserved: z.int(),
  commits: z.int().optional(),
  pages: z.strictObject({ cached: count, dirty: count }).optional(),
  cache: extentsOf([...EXTENT_STATES, "hole"]).optional(),
  read: packedBytesSchema.optional(),
  during: z
    .array(z.strictObject({ result, i_size: size, reserved: z.int() }))
    .max(MAX_ENTRIES)
    .optional(),
  cut: cut.optional(),
});

/** An Observation as JSON holds it. */
export type StoredObservation = z.input<typeof observationSchema>;

/** What of `seen` is to be stored. */
export const storedObservation = (seen: Observation): StoredObservation =>
  z.encode(observationSchema, seen as z.output<typeof observationSchema>);

/** Bytes that were read, of all kinds: they take memory that the text of a file does not show. */
export const bytesIn = ({ read, cut: look }: Observation): number =>
  (read?.length ?? 0) + (look?.file?.bytes?.length ?? 0);
