/**
 * What lies in free space: not zeros, as on a fresh disk image, but what can be told from all else, as a file system has it that was
 * used for years. A kernel that shows a block before it has written there then shows something that is nobody's; with zeros it
 * would look right.
 *
 * It is put there before mkfs.ext4 makes the file system, which writes every block that is in use and, told `-E nodiscard`, no other.
 */
import { writeSync } from "node:fs";
import { FREE_SPACE } from "../bytes.ts";

/** Bytes of an image that are filled, from its beginning: a case on a fresh image gets its blocks from there. */
const FILLED_BYTES = 32 * 2 ** 20;

/** Bytes with the same text, no more than the smallest block has. */
const UNIT_BYTES = 1024;

const CHUNK_BYTES = 2 ** 20;

/**
 * Fill an empty file of `size` bytes as far as it matters. Each 16 bytes say "free space 00042", with the place in KiB from the image's
 * beginning. Some 15 ms.
 */
export function fillFreeSpace(fd: number, size: number): void {
  const end = Math.min(size, FILLED_BYTES);
  const chunk = Buffer.alloc(CHUNK_BYTES);
  for (let pos = 0; pos < end; pos += CHUNK_BYTES) {
    for (let at = 0; at < CHUNK_BYTES; at += UNIT_BYTES) {
      const place = String((pos + at) / UNIT_BYTES).padStart(5, "0");
      chunk.fill(`${FREE_SPACE}${place}`, at, at + UNIT_BYTES);
    }
    writeSync(fd, chunk, 0, Math.min(CHUNK_BYTES, end - pos), pos);
  }
}
