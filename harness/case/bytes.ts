/**
 * Bytes as a reader wants them: several, in hexadecimal, with what they are where that can be told.
 */

/** Bytes that are shown. */
const SHOWN = 8;

/** Bytes that are looked at to tell what they are. */
const LOOKED_AT = 32;

/**
 * The four 16-bit fields that a block of an extent tree begins with, and what they may be
 * (fs/ext4/ext4_extents.h).
 */
const HEADER_BYTES = 8;
const EXT4_EXT_MAGIC = 0xf30a;
const EXT4_MAX_EXTENT_DEPTH = 5;

/** What lies in free space (subjects/free-space.ts): in each 16 bytes this and a number. */
export const FREE_SPACE = "free space ";

/**
 * Whether a block of an extent tree begins so: struct ext4_extent_header of fs/ext4/ext4_extents.h,
 * little endian.
 */
function isExtentTree(bytes: Uint8Array): boolean {
  if (bytes.length < HEADER_BYTES) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  const [magic, entries, most, depth] = [0, 2, 4, 6].map((at) => view.getUint16(at, true));
  return magic === EXT4_EXT_MAGIC && entries! <= most! && depth! <= EXT4_MAX_EXTENT_DEPTH;
}

/** What the bytes from `at` on are; undefined for data. */
function kindOf(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return "the end";
  if (bytes.every((byte) => byte === 0)) return "zero";
  if (Buffer.from(bytes).toString("latin1").includes(FREE_SPACE)) return "of free space";
  return isExtentTree(bytes) ? "of an extent tree" : undefined;
}

/** The bytes from offset `at` on: "00 00 00 00 00 00 00 00 (zero)". */
export function bytesText(bytes: Uint8Array, at = 0): string {
  const shown = [...bytes.subarray(at, at + SHOWN)];
  const hex = shown.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  const kind = kindOf(bytes.subarray(at, at + LOOKED_AT));
  return [hex, ...(kind === undefined ? [] : [`(${kind})`])]
    .filter((part) => part !== "")
    .join(" ");
}
