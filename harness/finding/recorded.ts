/**
 * Observations as data that JSON holds: the bytes that were read, which are bulky, are kept as a
 * digest and the bytes that matter.
 */
import { createHash } from "node:crypto";
import * as z from "zod";
import { EXTENT_STATES } from "../case/observation.ts";
import type { CutLook, Observation } from "../case/observation.ts";

/** Bytes of a read that are kept: enough to see whose data they are. */
const KEPT_BYTES = 32;

/** Words of a report. */
export const text = z.string().max(10_000);
/** How many of something, or its number. */
export const count = z.int().min(0);

const extentsSchema = <T extends string>(states: readonly T[]) =>
  z.array(z.strictObject({ lblk: count, len: count, state: z.enum(states) }));

const mapSchema = extentsSchema(EXTENT_STATES);

/** The bytes that a pread returned. */
const readSchema = z.strictObject({
  /** Bytes that were read. */
  length: count,
  /** SHA-256 of all of them, hexadecimal. */
  sha256: text,
  /** Offset in the read of the kept bytes; where the two reads differ first, or 0. */
  offset: count,
  /** Up to 32 bytes from `offset` on, base64. */
  bytes: text,
});

/** What a power cut left. */
const cutSchema = z.strictObject({
  commits: z.int(),
  /** Absent where it left no file. */
  file: z
    .strictObject({ i_size: count, map: mapSchema, bytes: readSchema.exactOptional() })
    .exactOptional(),
  complaints: z.array(text),
});

/** What was observed after an operation; of what nobody could see, nothing is there. */
export const recordedSchema = z.strictObject({
  result: z.int(),
  i_size: count,
  st_blocks: count,
  map: mapSchema,
  pieces: count,
  reserved: z.int(),
  pages: z.strictObject({ cached: count, dirty: count }).exactOptional(),
  cache: extentsSchema([...EXTENT_STATES, "hole"]).exactOptional(),
  during: z
    .array(z.strictObject({ result: z.int(), i_size: count, reserved: z.int() }))
    .exactOptional(),
  read: readSchema.exactOptional(),
  cut: cutSchema.exactOptional(),
});

export type RecordedRead = z.infer<typeof readSchema>;
export type RecordedCut = z.infer<typeof cutSchema>;
export type RecordedObservation = z.infer<typeof recordedSchema>;

function recordRead(read: Uint8Array, offset: number): RecordedRead {
  return {
    length: read.length,
    sha256: createHash("sha256").update(read).digest("hex"),
    offset,
    bytes: Buffer.from(read.subarray(offset, offset + KEPT_BYTES)).toString("base64"),
  };
}

function recordCut({ commits, file, complaints }: CutLook, offset: number): RecordedCut {
  if (file === undefined) return { commits, complaints: [...complaints] };
  const { i_size, map, bytes } = file;
  const read = bytes === undefined ? {} : { bytes: recordRead(bytes, offset) };
  return { commits, file: { i_size, map: [...map], ...read }, complaints: [...complaints] };
}

/** A copy of `observation` as data. The bytes read are kept from `offset` on. */
export function recordObservation(observation: Observation, offset = 0): RecordedObservation {
  const { result, i_size, st_blocks, pieces, reserved, map, pages, cache, read, during, cut } =
    observation;
  return {
    result,
    i_size,
    st_blocks,
    map: map.map((extent) => ({ ...extent })),
    pieces,
    reserved,
    ...(pages === undefined ? {} : { pages: { ...pages } }),
    ...(cache === undefined ? {} : { cache: cache.map((extent) => ({ ...extent })) }),
    ...(read === undefined ? {} : { read: recordRead(read, offset) }),
    ...(during === undefined ? {} : { during: during.map((look) => ({ ...look })) }),
    ...(cut === undefined ? {} : { cut: recordCut(cut, offset) }),
  };
}
