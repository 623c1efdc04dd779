/**
 * comb: the same call at hundreds of places, which makes as many extents at once: in
 * [pos, pos + len), every `stride` bytes, `tooth` bytes are written, allocated, zeroed or punched.
 * An extent tree of more than one leaf takes more extents than a case has operations.
 */
import * as z from "zod";
import { EFBIG, EINVAL, ENOSPC, EOPNOTSUPP } from "../../../model/include/errno.ts";
import { patternOffset, patternTag } from "../../../model/include/pattern.ts";
import { NO_BYTES, rangeOf } from "../../aspects/effects.ts";
import type { Effects, Rule } from "../../aspects/effects.ts";
import { file, ioLen, pos, rangeLen, ruled } from "../../case/limits.ts";
import * as fallocate from "../fallocate/operation.ts";
import type { Fallocate, FallocateMode } from "../fallocate/operation.ts";

/** Calls that a comb can be; the modes are those that keep the file's other blocks in place. */
export const COMB_CALLS = [
  "pwrite",
  "allocate",
  "keep_size",
  "punch_hole",
  "zero_range",
  "zero_range_keep_size",
] as const satisfies readonly (FallocateMode | "pwrite")[];

/** Teeth of one comb: as many extents as a tree of depth 3 takes of 4 KiB blocks, twice. */
export const MAX_TEETH = 4096;

const operands = z.strictObject({
  op: z.literal("comb"),
  file,
  pos,
  /** From the first tooth on; the last one ends there where it would reach further. */
  len: rangeLen,
  call: z.enum(COMB_CALLS),
  /** Bytes of a tooth. */
  tooth: ioLen,
  /** Bytes from where a tooth begins to where the next one does. */
  stride: rangeLen,
  /** The last tooth comes first. */
  backwards: z.literal(true).optional(),
});

const rules: readonly Rule<z.infer<typeof operands>>[] = [
  {
    check: ({ tooth, stride }) => tooth <= stride,
    says: { error: "teeth do not overlap", path: ["tooth"] },
  },
  {
    check: (o) => teethOf(o) <= MAX_TEETH,
    says: { error: `a comb has at most ${MAX_TEETH} teeth`, path: ["stride"] },
  },
];

export const schema = ruled(operands, rules);

export type Comb = z.infer<typeof schema>;

/** How many teeth it has. */
export function teethOf({ len, stride }: { len: number; stride: number }): number {
  return Math.ceil(len / stride);
}

/** Tooth number `i` of those that are performed one after the other. */
export function toothOf(o: Comb, i: number): { pos: number; len: number } {
  const at = (o.backwards === true ? teethOf(o) - 1 - i : i) * o.stride;
  return { pos: o.pos + at, len: Math.min(o.tooth, o.len - at) };
}

/**
 * The region that tooth number `i` writes from. Teeth that lie next to each other differ, and those
 * that are a leaf apart, whose entries are a multiple of four.
 */
export function toothTag(tag: number, i: number): number {
  return patternTag(tag + i + Math.floor(i / 4));
}

/** The comb, or as much of it as was done where not all was, as the call of its first tooth. */
const asFallocate = ({ call, pos: at, len }: Comb): Fallocate | undefined =>
  call === "pwrite" ? undefined : { op: "fallocate", mode: call, pos: at, len };

const isPwrite = ({ call }: Comb): boolean => call === "pwrite";

/** Whether teeth move EOF on to where they end. */
const grows = ({ call }: Comb): boolean =>
  call === "pwrite" || call === "allocate" || call === "zero_range";

/** Bytes [pos, end) read as zero after each tooth. */
const clears = ({ call }: Comb): boolean =>
  call === "punch_hole" || call === "zero_range" || call === "zero_range_keep_size";

/**
 * Call `perform` for each tooth. Returns how many did all that they were to do before one did not,
 * or what the first returned where that was an error.
 *
 * @param whole whether a tooth that returned that is done
 */
export function performTeeth(
  o: Comb,
  perform: (tooth: { pos: number; len: number }, i: number) => number,
): number {
  const teeth = teethOf(o);
  for (let i = 0; i < teeth; i++) {
    const tooth = toothOf(o, i);
    const result = perform(tooth, i);
    if (result === (isPwrite(o) ? tooth.len : 0)) continue;
    return i === 0 && result < 0 ? result : i;
  }
  return teeth;
}

export const effects: Effects<Comb> = {
  begins: {
    kernel: "fs/ext4/extents.c ext4_ext_insert_extent()",
    model: "model/ext4/extents.ts ext4_map_blocks()",
  },
  rules,
  operands: ({ call, pos: at, len, tooth, stride, backwards }) => [
    call,
    `pos=${at}`,
    `len=${len}`,
    `tooth=${tooth}`,
    `stride=${stride}`,
    ...(backwards === true ? ["backwards"] : []),
  ],
  kind: ({ call }) => `comb, ${call}`,

  result: "calls",
  touches: rangeOf,

  errors: [EINVAL, EFBIG, ENOSPC, EOPNOTSUPP],
  sizeAfter(o, before, result) {
    if (result !== teethOf(o)) return -1;
    const last = toothOf(o, o.backwards === true ? 0 : result - 1);
    return grows(o) ? Math.max(before, last.pos + last.len) : before;
  },

  change(o, index, { result }, bytes) {
    for (let i = 0; i < result; i++) {
      const { pos: at, len } = toothOf(o, i);
      if (isPwrite(o)) bytes.put(at, len, toothTag(patternTag(index), i), patternOffset(len));
      else if (clears(o)) bytes.remove(at, at + len);
    }
    if (result !== teethOf(o)) bytes.loseTrack();
  },
  overwrites: (o) => (isPwrite(o) || clears(o) ? rangeOf(o) : NO_BYTES),

  dirties: (o) => (isPwrite(o) ? rangeOf(o) : NO_BYTES),
  onlyDirties: isPwrite,
  frees(o, before, blockSize) {
    const whole = asFallocate(o);
    return (whole && fallocate.effects.frees?.(whole, before, blockSize)) ?? NO_BYTES;
  },
  zeroes: ({ call }) => call === "zero_range" || call === "zero_range_keep_size",
};
