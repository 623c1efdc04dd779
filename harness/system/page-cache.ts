/**
 * What a file has in the page cache: cachestat(2), since 6.5.
 */
import type { CachedPages } from "../case/observation.ts";
import { keptMemory, syscalls } from "./syscalls.ts";
import type { Result } from "./syscalls.ts";

export interface CacheStat extends CachedPages {
  /** Pages that were reclaimed, and are still remembered. */
  evicted: number;
  /** Pages that are on their way to the device. */
  writeback: number;
}

/** Bytes of struct cachestat_range; zeros are the whole file. */
const RANGE_BYTES = 16;
/**
 * struct cachestat: nr_cache, nr_dirty, nr_writeback, nr_evicted, nr_recently_evicted, of 64 bits
 * each.
 */
const STAT_BYTES = 5 * 8;

let memory: { address: number; words: Uint32Array } | undefined;

function scratch(): { address: number; words: Uint32Array } {
  if (memory === undefined) {
    const { address, buffer } = keptMemory(RANGE_BYTES + STAT_BYTES);
    memory = { address, words: new Uint32Array(buffer, RANGE_BYTES, STAT_BYTES / 4) };
  }
  return memory;
}

/**
 * The pages of an open file, or -errno. Nobody has 2^32 pages of one file: the lower half of each
 * number is looked at.
 */
export function cachestat(fd: number): CacheStat | Result {
  const { address, words } = scratch();
  const result = syscalls().cachestat(fd, address, address + RANGE_BYTES, 0);
  if (result < 0) return result;
  return { cached: words[0]!, dirty: words[2]!, writeback: words[4]!, evicted: words[6]! };
}
