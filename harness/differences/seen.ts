/**
 * What is seen of a file in the model after an operation, and in which ways two files differ that
 * went the same way in two tables.
 *
 * Now: what the call returned, i_size, the bytes that reads return, the map, the reservation,
 * st_blocks, the page cache; the kinds are those of a divergence (divergence.ts). And what would
 * come next, each on a copy: an fsync, and then what is on disk, what stays reserved, what
 * unmounting says; a direct read.
 *
 * Not compared: the extent status cache, of which the map has what matters; what a power cut
 * leaves; timestamps.
 */
import { directRead, fsync, warnsAtUnmount } from "../../model/file-system.ts";
import type { IntervalMap } from "../../model/include/interval-map.ts";
import { UNKNOWN_TAG } from "../../model/include/pattern.ts";
import { emptyContents } from "../../model/include/contents.ts";
import { copyFile } from "../../model/state.ts";
import { WRITTEN } from "../../model/include/types.ts";
import type { Inode, Source } from "../../model/include/types.ts";
import { cachedPages, extentMap } from "../lockstep/model-subject.ts";
import { describePages } from "../case/observation.ts";
import type { Extent } from "../case/observation.ts";
import { blockRange, segmentsOf } from "../text/block-map.ts";
import type { BlockState } from "../text/block-map.ts";
import { describeResult } from "../text/errno.ts";
import type { Applied } from "../explore/applied.ts";

/** Kinds of difference, in the order in which they are listed, with what each is. */
export const KINDS = {
  panic: "an assertion fails in one of them",
  result: "what the call returned",
  i_size: "st_size",
  read: "the bytes that a read returns",
  map: "hole, delayed, unwritten or written; `allocated` is either of the last two, where the other has neither",
  reserved: "blocks reserved for delayed allocation",
  st_blocks: "512-byte units, with what is reserved",
  pages: "pages in the page cache, and the dirty ones among them",
  "on-disk-map": "what an fsync right after it leaves allocated on disk",
  "on-disk-size": "i_size on disk after that fsync",
  "reserved after fsync": "blocks still reserved then",
  contents: "the bytes that a fresh mount reads then",
  "kernel-log": "whether unmounting then warns that data will be lost",
  "direct read": "what a direct read returns, of as many blocks as the file may have",
} as const;
export type Kind = keyof typeof KINDS;

/** One difference: what the two showed, in words. */
export interface Shown {
  kind: Kind;
  /** Of maps, what a block is in the one and in the other: "written / unwritten"; else empty. */
  states: string;
  a: string;
  b: string;
}

/**
 * Bytes [start, end), which came from somewhere else in the one than in the other; undefined is
 * zero.
 */
interface DifferentSource {
  start: number;
  end: number;
  a: Source | undefined;
  b: Source | undefined;
}

/** The bytes before `until` that came from somewhere else in the one than in the other. */
export function differentSources(
  a: IntervalMap<Source>,
  b: IntervalMap<Source>,
  until = Infinity,
): DifferentSource[] {
  const edges = new Set<number>();
  for (const contents of [a, b]) {
    for (const { start, end } of contents) edges.add(start).add(end);
  }
  const sorted = [...edges].filter((edge) => edge < until).toSorted((x, y) => x - y);
  return sorted.flatMap((start, i) => {
    const end = sorted[i + 1] ?? until;
    const [ofA, ofB] = [a.get(start), b.get(start)];
    const same = ofA?.tag === ofB?.tag && ofA?.delta === ofB?.delta;
    return same ? [] : [{ start, end, a: ofA, b: ofB }];
  });
}

/** What would come next. */
export interface Later {
  /** The file after an fsync. */
  synced: Inode;
  /** What a direct read returns. */
  read: number;
  /** Whether unmounting warns; undefined where it depends on how often that writes back. */
  warns: boolean | undefined;
}

const mapOnDisk = (synced: Inode): Extent[] =>
  extentMap(synced).filter(({ state }) => state !== "delayed");

/** The bytes of written blocks, up to the size on disk. */
function contentsOnDisk({ i_extents, i_disksize, i_sb, contents }: Inode): IntervalMap<Source> {
  const { s_blocksize } = i_sb;
  const onDisk = emptyContents();
  for (const { start, end, value } of i_extents) {
    if (value !== WRITTEN) continue;
    const until = Math.min(end * s_blocksize, i_disksize);
    for (const part of contents.within(start * s_blocksize, until)) {
      onDisk.set(part.start, part.end, part.value);
    }
  }
  return onDisk;
}

/** What would come next for a file that may have `most` bytes; it stays as it is. */
export function lookLater(inode: Inode, most: number): Later {
  const synced = copyFile(inode);
  fsync(synced);
  return {
    synced,
    read: directRead(copyFile(inode), 0, most),
    warns: warnsAtUnmount(copyFile(synced)),
  };
}

const isAllocated = (state: BlockState): boolean => state === "written" || state === "unwritten";

/** How a block is called beside one that is in another state. */
function nameOf(state: BlockState, beside: BlockState): string {
  return isAllocated(state) && !isAllocated(beside) ? "allocated" : state;
}

/** For each pair of states, the first blocks that are in the one here and in the other there. */
function ofMaps(kind: Kind, a: readonly Extent[], b: readonly Extent[]): Shown[] {
  const found = new Map<string, Shown>();
  for (const { lblk, len, expected, seen } of segmentsOf(a, b)) {
    const states = `${nameOf(expected, seen)} / ${nameOf(seen, expected)}`;
    if (expected === seen || found.has(states)) continue;
    const where = blockRange(lblk, len);
    found.set(states, { kind, states, a: `${where} ${expected}`, b: `${where} ${seen}` });
  }
  return [...found.values()];
}

function ofValues<V>(kind: Kind, a: V, b: V, text: (value: V) => string): Shown[] {
  return a === b ? [] : [{ kind, states: "", a: text(a), b: text(b) }];
}

/** Data is written with the number of its operation. */
function sourceText(pos: number, source: Source | undefined): string {
  if (source === undefined) return `byte ${pos} is zero`;
  if (source.tag === UNKNOWN_TAG) return `byte ${pos} may be anything`;
  return `byte ${pos} was written by operation ${source.tag}`;
}

function ofBytes(
  kind: Kind,
  a: IntervalMap<Source>,
  b: IntervalMap<Source>,
  until: number,
): Shown[] {
  const [first] = differentSources(a, b, until);
  if (first === undefined) return [];
  const { start } = first;
  return [{ kind, states: "", a: sourceText(start, first.a), b: sourceText(start, first.b) }];
}

/** st_blocks without blocks of the extent tree, of which few extents need none. */
const unitsHeld = ({ i_extents, i_reserved_data_blocks, i_sb }: Inode): number =>
  (i_extents.covered + i_reserved_data_blocks) * (i_sb.s_blocksize / 512);

/** What differs after the same operation on both. */
export function differencesNow(a: Applied, b: Applied): Shown[] {
  const [x, y] = [a.inode, b.inode];
  return [
    ...ofValues("result", a.result, b.result, describeResult),
    ...ofValues("i_size", x.i_size, y.i_size, String),
    ...ofBytes("read", x.contents, y.contents, Math.min(x.i_size, y.i_size)),
    ...ofMaps("map", extentMap(x), extentMap(y)),
    ...ofValues("reserved", x.i_reserved_data_blocks, y.i_reserved_data_blocks, String),
    ...ofValues("st_blocks", unitsHeld(x), unitsHeld(y), String),
    ...ofValues("pages", describePages(cachedPages(x)), describePages(cachedPages(y)), String),
  ];
}

/** What would differ next. Where it cannot be told whether one warns, that is no difference. */
export function differencesLater(a: Later, b: Later): Shown[] {
  const told = a.warns !== undefined && b.warns !== undefined;
  const [x, y] = [a.synced, b.synced];
  const size = Math.min(x.i_disksize, y.i_disksize);
  return [
    ...ofMaps("on-disk-map", mapOnDisk(x), mapOnDisk(y)),
    ...ofValues("on-disk-size", x.i_disksize, y.i_disksize, String),
    ...ofValues("reserved after fsync", x.i_reserved_data_blocks, y.i_reserved_data_blocks, String),
    ...ofBytes("contents", contentsOnDisk(x), contentsOnDisk(y), size),
    ...(told ? ofValues("kernel-log", a.warns, b.warns, (is) => (is ? "warns" : "silent")) : []),
    ...ofValues("direct read", a.read, b.read, describeResult),
  ];
}
