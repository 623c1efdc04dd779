/**
 * fallocate, in all its modes.
 */
import * as z from "zod";
import { EFBIG, EINVAL, ENOSPC, EOPNOTSUPP } from "../../../model/include/errno.ts";
import { PAGE_SIZE } from "../../../model/include/types.ts";
import { ALL_BYTES, NO_BYTES, rangeOf } from "../../aspects/effects.ts";
import type { ByteRange, Effects } from "../../aspects/effects.ts";
import { file, pos, rangeLen } from "../../case/limits.ts";

/** fallocate(2) modes, named after their flags; ALLOCATE_RANGE is mode 0. */
export const FALLOCATE_MODES = [
  "allocate",
  "keep_size",
  "punch_hole",
  "zero_range",
  "zero_range_keep_size",
  "collapse_range",
  "insert_range",
] as const;
export type FallocateMode = (typeof FALLOCATE_MODES)[number];

export const schema = z.strictObject({
  op: z.literal("fallocate"),
  file,
  mode: z.enum(FALLOCATE_MODES),
  pos,
  len: rangeLen,
});

export type Fallocate = z.infer<typeof schema>;

/** Errors with which fallocate(2) refuses before it has done anything. */
const REFUSED: ReadonlySet<number> = new Set([-1, -19, -22, -27, -95]);

/** What the modes do, as far as it differs. */
interface ModeEffects {
  /** Its bytes read as zero after it. */
  zeroes?: true;
  /** No block of it is a hole after it. */
  allocates?: true;
  /** It moves EOF on to where it ends. */
  extends?: true;
  /** What is behind the range, or begins with it, moves by so many times its length. */
  moves?: 1 | -1;
}

const modes: Readonly<Record<FallocateMode, ModeEffects>> = {
  allocate: { allocates: true, extends: true },
  keep_size: { allocates: true },
  punch_hole: { zeroes: true },
  zero_range: { zeroes: true, allocates: true, extends: true },
  zero_range_keep_size: { zeroes: true, allocates: true },
  collapse_range: { zeroes: true, moves: -1 },
  insert_range: { moves: 1 },
};

/**
 * Where a hole may end that was to end at byte `end`, by how ext4 rounds what is at EOF, where
 * nothing of a file is lost: one that was to reach past EOF with EOF's page (until 6.18), one that
 * was to end there with EOF's block (since 7.2).
 */
function endOfHole(end: number, size: number, blockSize: number): number {
  if (end < size) return end;
  const unit = end > size ? PAGE_SIZE : blockSize;
  return Math.ceil(size / unit) * unit;
}

/** Its range, where its mode is one of those. */
const where =
  (is: (mode: FallocateMode) => boolean | undefined) =>
  (o: Fallocate): ByteRange | undefined =>
    is(o.mode) === true ? rangeOf(o) : undefined;

const moves = ({ mode }: Fallocate): boolean => modes[mode].moves !== undefined;

export const effects: Effects<Fallocate> = {
  begins: {
    kernel: "fs/ext4/extents.c ext4_fallocate()",
    model: "model/file-system.ts fallocate()",
  },
  operands: ({ mode, pos: at, len }) => [mode, `pos=${at}`, `len=${len}`],
  kind: ({ mode }) => mode,
  shortName: ({ mode }) => mode,
  result: "status",
  recordable: () => true,

  touches: (o) => (moves(o) ? ALL_BYTES : rangeOf(o)),

  /** A range may be larger than the file system; and a mode may not be known to the kernel. */
  errors: [EINVAL, EFBIG, ENOSPC, EOPNOTSUPP],
  sizeAfter({ mode, pos: at, len }, before, result) {
    if (result < 0) return -1;
    const { moves: by = 0, extends: grows } = modes[mode];
    return grows === true ? Math.max(before, at + len) : before + by * len;
  },

  change({ mode, pos: at, len }, _, { result }, bytes) {
    if (result !== 0) {
      if (!REFUSED.has(result)) bytes.loseTrack();
      return;
    }
    const { zeroes, moves: by } = modes[mode];
    if (zeroes === true) bytes.remove(at, at + len);
    if (by !== undefined) bytes.move(by > 0 ? at : at + len, by * len);
  },
  overwrites(o) {
    if (moves(o)) return { pos: o.pos, end: Infinity };
    return modes[o.mode].zeroes === true ? rangeOf(o) : NO_BYTES;
  },

  frees({ mode, pos: at, len }, before, blockSize) {
    if (mode !== "punch_hole") return NO_BYTES;
    const end = at + len;
    return { pos: at, end: Math.max(end, endOfHole(end, before, blockSize)) };
  },
  movesBlocks: moves,
  movesBy: ({ mode, len }) => (modes[mode].moves ?? 0) * len,
  punches: where((mode) => mode === "punch_hole"),
  inserts: where((mode) => mode === "insert_range"),
  allocates: where((mode) => modes[mode].allocates),
  zeroes: ({ mode }) => mode === "zero_range" || mode === "zero_range_keep_size",
};
