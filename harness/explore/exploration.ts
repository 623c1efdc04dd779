/**
 * Exploration: what is to be explored, as plain data.
 */
import type { AlphabetName } from "./alphabet.ts";

export interface Exploration {
  /** Blocks that the file may have. */
  blocks: number;
  /** Operations of the longest path; undefined for all states. */
  depth: number | undefined;
  alphabet: AlphabetName;
}
