/**
 * Bytes that were read from a file, in few words. Most of them are zeros, or come from the regions
 * that writes store (model/include/pattern.ts), which no packer can make small; what is neither is
 * kept as it is.
 */
import * as z from "zod";
import { PATTERN_BYTES, PATTERN_COUNT, pattern } from "../../model/include/pattern.ts";
import { MAX_IO_BYTES, SECTOR_BYTES } from "./limits.ts";

/** Bytes that one look can hold: all reads of a long pause. */
const MAX_BYTES = 16 * MAX_IO_BYTES;

/** Parts of the longest list: a part is worth more than its own bytes. */
const MAX_PARTS = 2 ** 17;

const length = z.int().min(1).max(MAX_BYTES);

/** [region, offset in it, bytes] */
const ofRegion = z
  .tuple([
    z
      .int()
      .min(0)
      .max(PATTERN_COUNT - 1),
    z.int().min(0),
    length,
  ])
  .refine(([, offset, len]) => offset + len <= PATTERN_BYTES, { error: "ends past its region" });

/** So many zeros, a part of a region, or other bytes in base64. */
const partSchema = z.union([length, ofRegion, z.base64()]);
type Part = z.infer<typeof partSchema>;

function lengthOf(part: Part): number {
  if (typeof part === "number") return part;
  return typeof part === "string" ? Buffer.byteLength(part, "base64") : part[2];
}

const lengthInAll = (parts: readonly Part[]): number =>
  parts.reduce<number>((sum, part) => sum + lengthOf(part), 0);

function unpack(parts: readonly Part[]) {
  const bytes = new Uint8Array(lengthInAll(parts));
  let at = 0;
  for (const part of parts) {
    if (typeof part === "string") bytes.set(Buffer.from(part, "base64"), at);
    else if (typeof part !== "number") {
      const [tag, offset, len] = part;
      bytes.set(pattern(tag).subarray(offset, offset + len), at);
    }
    at += lengthOf(part);
  }
  return bytes;
}

/** Bytes that are looked for in a region: fewer could be there by accident, and save nothing. */
const KEY_BYTES = 8;

/** Of a region, the last so many bytes are looked at first: a write takes its data from there. */
const TAILS = [2 ** 16, PATTERN_BYTES];

/** How many bytes from `at` on are as in `region` from `offset` on. */
function sameBytes(bytes: Uint8Array, at: number, region: Uint8Array, offset: number): number {
  const most = Math.min(bytes.length - at, region.length - offset);
  let same = 0;
  while (same < most && bytes[at + same] === region[offset + same]) same += 1;
  return same;
}

/** The part of a region that the bytes from `at` on are; undefined where they are of none. */
function regionAt(bytes: Uint8Array, at: number): [number, number, number] | undefined {
  if (bytes.length - at < KEY_BYTES) return undefined;
  const key = Buffer.from(bytes.buffer, bytes.byteOffset + at, KEY_BYTES);
  for (const tail of TAILS) {
    for (let tag = 0; tag < PATTERN_COUNT; tag++) {
      const region = pattern(tag);
      const from = PATTERN_BYTES - tail;
      const found = Buffer.from(region.buffer, from).indexOf(key);
      if (found < 0) continue;
      return [tag, from + found, sameBytes(bytes, at, region, from + found)];
    }
  }
  return undefined;
}

function zerosAt(bytes: Uint8Array, at: number): number {
  let end = at;
  while (bytes[end] === 0) end += 1;
  return end - at;
}

/** What is neither ends where a sector does: there it is looked at again. */
function otherAt(bytes: Uint8Array, at: number): string {
  let end = at + 1;
  while (end < bytes.length && end % SECTOR_BYTES !== 0 && zerosAt(bytes, end) < KEY_BYTES)
    end += 1;
  return Buffer.from(bytes.subarray(at, end)).toString("base64");
}

function pack(bytes: Uint8Array): Part[] {
  const parts: Part[] = [];
  for (let at = 0; at < bytes.length;) {
    const zeros = zerosAt(bytes, at);
    const part = zeros > 0 ? zeros : (regionAt(bytes, at) ?? otherAt(bytes, at));
    parts.push(part);
    at += lengthOf(part);
  }
  return parts;
}

/** Bytes on one side, on the other what JSON holds of them: a list of parts, without loss. */
export const packedBytesSchema = z.codec(
  z
    .array(partSchema)
    .max(MAX_PARTS)
    .refine((parts) => lengthInAll(parts) <= MAX_BYTES, {
      error: `are more than ${MAX_BYTES} bytes`,
    }),
  z.custom<Uint8Array>((value) => value instanceof Uint8Array),
  { decode: unpack, encode: pack },
);
