/**
 * paused_write: a pwrite that comes to memory which is not there yet, `pause_at` bytes from its
 * start, and sleeps there, inside the kernel, while `during` is performed. Then the memory comes to
 * be, and the write goes on, or it is taken away, and the write ends short.
 */
import * as z from "zod";
import { patternOffset, patternTag } from "../../../model/include/pattern.ts";
import { ALL_BYTES, rangeOf, sizeAfterWrite } from "../../aspects/effects.ts";
import type { ByteRange, Effects, Rule, Store } from "../../aspects/effects.ts";
import { file, ioLen, pos, ruled } from "../../case/limits.ts";
import * as drop_cache from "../drop_cache/operation.ts";
import * as fsync from "../fsync/operation.ts";
import * as mmap_write from "../mmap_write/operation.ts";
import * as pread from "../pread/operation.ts";
import * as sync_file_range from "../sync_file_range/operation.ts";

/** Operations during one pause. */
const MAX_DURING = 8;

/**
 * What may be called while a writer sleeps inside the kernel: what does not take the lock that it
 * holds (system/paused-writer.ts).
 */
const duringSchema = z.discriminatedUnion("op", [
  mmap_write.plain,
  pread.plain,
  fsync.plain,
  sync_file_range.plain,
  drop_cache.plain,
]);
export type DuringOperation = z.infer<typeof duringSchema>;

const duringEffects: {
  readonly [N in DuringOperation["op"]]: Effects<Extract<DuringOperation, { op: N }>>;
} = {
  mmap_write: mmap_write.effects,
  pread: pread.effects,
  fsync: fsync.effects,
  sync_file_range: sync_file_range.effects,
  drop_cache: drop_cache.effects,
};

/** The effects of what may happen in a pause. */
export const effectsDuring = ({ op }: DuringOperation): Effects<DuringOperation> =>
  duringEffects[op];

const operands = z.strictObject({
  op: z.literal("paused_write"),
  file,
  pos,
  len: ioLen,
  pause_at: z.int().min(0),
  during: z.array(duringSchema).max(MAX_DURING),
  after: z.enum(["continue", "fault"]),
});

const rules: readonly Rule<z.infer<typeof operands>>[] = [
  {
    check: (o) => o.pause_at < o.len,
    says: { error: "pause_at is not within len", path: ["pause_at"] },
  },
];

export const schema = ruled(operands, rules);

export type PausedWrite = z.infer<typeof schema>;

/** The region of the pattern that operation number `i` during the pause of `index` writes from. */
export function duringTag(index: number, i: number): number {
  return patternTag(index + 1 + i);
}

/** What was read in a pause, one after the other; undefined where nothing was. */
export function joined(reads: readonly Uint8Array[]): Uint8Array | undefined {
  if (reads.length === 0) return undefined;
  const all = new Uint8Array(reads.reduce((length, one) => length + one.length, 0));
  let at = 0;
  for (const one of reads) {
    all.set(one, at);
    at += one.length;
  }
  return all;
}

const describe = (one: DuringOperation): string =>
  `${one.op}(${effectsDuring(one).operands(one).join(", ")})`;

/** The stores in its pause: in the middle of a write that may move EOF on after them. */
const stores: Effects<PausedWrite>["stores"] = ({ during }, { i_size, during: looks }): Store[] =>
  during.flatMap((one, i) => {
    const then = { i_size: looks?.[i]?.i_size ?? i_size };
    return [...(effectsDuring(one).stores?.(one, then) ?? [])];
  });

function dirties({ pos: at, len, during }: PausedWrite): ByteRange {
  let [first, end] = [at, at + len];
  for (const one of during) {
    const range = effectsDuring(one).dirties?.(one);
    if (range === undefined) continue;
    first = Math.min(first, range.pos);
    end = Math.max(end, range.end);
  }
  return { pos: first, end };
}

export const effects: Effects<PausedWrite> = {
  begins: {
    kernel: "fs/ext4/file.c ext4_buffered_write_iter()",
    model: "model/file-system.ts pausedWrite()",
  },
  operands: ({ pos: at, len, pause_at, during, after }) => [
    `pos=${at}`,
    `len=${len}`,
    `pause_at=${pause_at}`,
    `{${during.map(describe).join("; ")}}`,
    after,
  ],
  rules,
  kind: ({ after }) => (after === "continue" ? "write, paused" : "write, paused and short"),

  result: "written",
  takes: () => "userfaultfd(2): a kernel with CONFIG_USERFAULTFD",
  during: ({ during }) => during,
  mayEndShort: () => true,
  goesOnAfterWriteback: true,

  /** With what is done meanwhile: rare, and seldom on large files. */
  touches: () => ALL_BYTES,

  readable: ({ after, len, pause_at }) => (after === "continue" ? len : pause_at),
  sizeAfter: sizeAfterWrite,

  /**
   * Kernels differ in how far a write has come when it sleeps (before 6.16 a folio's worth of
   * memory is faulted in before any of it is copied), so nobody promises which is later, a store
   * before the pause or the write's own bytes there.
   */
  change({ pos: at, len, pause_at, during }, index, { result, during: looks = [] }, bytes) {
    const [tag, from] = [patternTag(index), patternOffset(len)];
    if (result > 0) bytes.put(at, Math.min(result, pause_at), tag, from);
    for (const [i, one] of during.entries()) {
      const [before, after] = [looks[i], looks[i + 1]];
      if (before === undefined || after === undefined) continue;
      const done = effectsDuring(one).clamp?.(one, before.i_size) ?? one;
      for (const store of effectsDuring(done).stores?.(done, before) ?? []) {
        if (store.pos >= before.i_size) continue;
        const meets = store.pos < at + pause_at && at < store.pos + store.len;
        if (after.result < 0 || meets) bytes.loseTrack();
        bytes.put(store.pos, store.len, duringTag(index, i), patternOffset(store.len));
      }
    }
    if (result > pause_at) bytes.put(at + pause_at, result - pause_at, tag, from + pause_at);
  },
  overwrites: rangeOf,
  stores,

  dirties,
};
