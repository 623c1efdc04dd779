/**
 * A state of a small file as a person reads it.
 */
import { STATE_CHARACTERS } from "../text/block-map.ts";
import { cachedBlocks } from "../../model/state.ts";
import type { Inode } from "../../model/include/types.ts";
import { extentMap } from "../lockstep/model-subject.ts";

/** What the lines of `stateLines` say. */
export const BLOCKS_LEGEND =
  "blocks (. hole, d delayed, u unwritten, W written), in memory (- not, C clean, D dirty; small: not up to date), EOF";

/** Of each block one character, as in the maps of a report. */
function mapText(inode: Inode, blocks: number): string {
  const text = Array.from({ length: blocks }, () => STATE_CHARACTERS.hole);
  for (const { lblk, len, state } of extentMap(inode)) {
    text.fill(STATE_CHARACTERS[state], lblk, lblk + len);
  }
  return text.join("");
}

/**
 * Of each block whether it is in memory: "-" not, "C" clean, "D" dirty; small where it is not up to
 * date.
 */
function cacheText(inode: Inode, blocks: number): string {
  const text = Array.from({ length: blocks }, () => "-");
  for (const { block, uptodate, dirty } of cachedBlocks(inode)) {
    if (block >= blocks) continue;
    const character = dirty ? "D" : "C";
    text[block] = uptodate ? character : character.toLowerCase();
  }
  return text.join("");
}

/**
 * Its blocks, what is in memory of them, i_size and, where that is another, i_disksize: a line
 * each.
 */
export function stateLines(inode: Inode, blocks: number): string[] {
  const { i_size, i_disksize } = inode;
  const eof = i_size === i_disksize ? `${i_size}` : `${i_size} (disk ${i_disksize})`;
  return [mapText(inode, blocks), cacheText(inode, blocks), eof];
}
