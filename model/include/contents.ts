/**
 * What files hold, and where it came from. Ours, not the kernel's.
 */
import { IntervalMap } from "./interval-map.ts";
import type { CopiedBytes, Source } from "./types.ts";

/** What an empty file holds, for `Inode.contents` and its like. */
export function emptyContents(): IntervalMap<Source> {
  return new IntervalMap((a, b) => a.tag === b.tag && a.delta === b.delta);
}

/** Bytes [start, end) are those of `source` from now on, as they are now. */
export function putBytes(
  contents: IntervalMap<Source>,
  start: number,
  end: number,
  source: Source | CopiedBytes,
): void {
  if (!("of" in source)) {
    contents.set(start, end, source);
    return;
  }
  const { of, delta } = source;
  const copied = [...of.within(start + delta, end + delta)];
  contents.delete(start, end);
  for (const { start: from, end: to, value } of copied) {
    contents.set(from - delta, to - delta, { tag: value.tag, delta: value.delta + delta });
  }
}
