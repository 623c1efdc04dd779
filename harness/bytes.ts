/**
 * Bytes as a reader wants them: several, in hexadecimal, with what they are where that can be told.
 */

/** Bytes that are shown. */
const SHOWN = 8;

/** Bytes that are looked at to tell what they are. */
const LOOKED_AT = 32;

/** What lies in free space (kernel/free-space.ts): in each 16 bytes this and a number. */
export const FREE_SPACE = "free space ";

/** What the bytes from `at` on are; undefined for data. */
function kindOf(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return "the end";
  if (bytes.every((byte) => byte === 0)) return "zero";
  return Buffer.from(bytes).toString("latin1").includes(FREE_SPACE) ? "of free space" : undefined;
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
