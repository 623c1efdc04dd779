/**
 * Exploration: what is to be explored, as plain data.
 */
import type { AlphabetName } from "./alphabet.ts";
import type { DrivenEdges } from "./driven.ts";

export interface Exploration {
  /** Blocks that the file may have. */
  blocks: number;
  /** Operations of the longest path; undefined for all states. */
  depth: number | undefined;
  alphabet: AlphabetName;
  /**
   * Tell what the states look like, to be held against those of another variant. Of several jobs
   * one does.
   */
  compared: boolean;
  /** Tell what the graph looks like. Of several jobs one does. */
  pictured: boolean;
  /** Tell now and then which edges were driven: somebody goes on from there. */
  tellsDriven: boolean;
  /** By variant, edges that were driven before and need not be again. */
  before: Readonly<Record<string, DrivenEdges>>;
}
