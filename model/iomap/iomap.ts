/**
 * The mapping that a file system hands to the iomap code, and the loop that asks for one after the
 * other.
 *
 * Kernel:   include/linux/iomap.h struct iomap, struct iomap_ops; fs/iomap/iter.c iomap_iter()
 *           (6.12; in later kernels a write that made progress and then failed does not ask for a
 *           mapping once more, which here would find nothing left to read and give back what it
 *           mapped)
 * Left out: srcmap (there is no copy on write), inline data, the physical address, flags (which of
 *           them a call is for, its iomap_ops say)
 */
import { assert } from "../include/assert.ts";
import type { Iomap, IomapOps } from "../include/iomap.ts";
import type { Inode } from "../include/types.ts";

/** One round of the loop: bytes [pos, pos + length) lie in `iomap`. */
export interface IomapRound {
  readonly pos: number;
  readonly length: number;
  readonly iomap: Iomap;
}

/** Where the loop got to, and the -errno that ended it, or 0. */
export interface Iterated {
  pos: number;
  status: number;
}

/**
 * fs/iomap/iter.c iomap_iter(), with the loop around it: `body` says how many bytes of its round it
 * dealt with, or -errno. None ends the loop, unless the mapping had gone stale: then it is asked
 * for again.
 */
export function iomap_iter(
  inode: Inode,
  start: number,
  length: number,
  ops: IomapOps,
  body: (round: IomapRound) => number,
): Iterated {
  const end = start + length;
  let pos = start;
  while (pos < end) {
    const iomap = ops.iomap_begin(inode, pos, end - pos);
    if (typeof iomap === "number") return { pos, status: iomap };
    const mapped = Math.min(end, iomap.offset + iomap.length) - pos;
    assert(iomap.offset <= pos, "a mapping begins no later than it was asked for");
    assert(mapped > 0, "a mapping holds the byte that it was asked for");
    const processed = body({ pos, length: mapped, iomap });
    assert(processed <= mapped, "no more is dealt with than was mapped");
    ops.iomap_end?.(inode, pos, mapped, Math.max(processed, 0), iomap);
    if (processed < 0) return { pos, status: processed };
    if (processed === 0 && !iomap.stale) break;
    pos += processed;
  }
  return { pos, status: 0 };
}
