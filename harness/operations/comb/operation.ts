/**
 * comb: the same call at hundreds of places, which makes as many extents at once: in
 * [pos, pos + len), every `stride` bytes, `tooth` bytes are written, allocated, zeroed or punched.
 * An extent tree of more than one leaf takes more extents than a case has operations.
 */
import * as z from "zod";
import { EFBIG, EINVAL, ENOSPC, EOPNOTSUPP } from "../../../model/include/errno.ts";
import { NO_BYTES, rangeOf } from "../../aspects/effects.ts";
import type { Effects, Rule } from "../../aspects/effects.ts";
import { file, ioLen, pos, rangeLen, ruled } from "../../case/limits.ts";
import * as fallocate from "../fallocate/operation.ts";
import type { Fallocate, FallocateMode } from "../fallocate/operation.ts";
import * as pwrite from "../pwrite/operation.ts";
import type { Pwrite } from "../pwrite/operation.ts";

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

/** Each tooth is an operation of its own; the comb may do what one of all its range may. */
type Tooth = Pwrite | Fallocate;

function callOn({ call }: Comb, range: { pos: number; len: number }): Tooth {
  return call === "pwrite"
    ? { op: "pwrite", ...range, readable: range.len }
    : { op: "fallocate", mode: call, ...range };
}

/** Tooth number `i` of those that are performed one after the other. */
export function toothOf(o: Comb, i: number): Tooth {
  const at = (o.backwards === true ? teethOf(o) - 1 - i : i) * o.stride;
  return callOn(o, { pos: o.pos + at, len: Math.min(o.tooth, o.len - at) });
}

const whole = (o: Comb): Tooth => callOn(o, { pos: o.pos, len: o.len });

const effectsOfCall = ({ call }: Comb): Effects<Tooth> =>
  call === "pwrite" ? pwrite.effects : fallocate.effects;

/**
 * What stands for the number of the operation in its case, of tooth number `i`: teeth that lie next
 * to each other write from other regions, and those that are a leaf apart, whose entries are a
 * multiple of four.
 */
export const toothIndex = (index: number, i: number): number => index + i + Math.floor(i / 4);

/** What a tooth returns that did all that it was to do. */
const doneOf = (tooth: Tooth): number => (tooth.op === "pwrite" ? tooth.len : 0);

/**
 * Call `perform` for each tooth. Returns how many did all that they were to do before one did not,
 * or what the first returned where that was an error.
 */
export function performTeeth(o: Comb, perform: (tooth: Tooth, i: number) => number): number {
  const teeth = teethOf(o);
  for (let i = 0; i < teeth; i++) {
    const tooth = toothOf(o, i);
    const result = perform(tooth, i);
    if (result === doneOf(tooth)) continue;
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
    const teeth = teethOf(o);
    if (result !== teeth) return -1;
    const last = toothOf(o, o.backwards === true ? 0 : teeth - 1);
    return effectsOfCall(o).sizeAfter?.(last, before, doneOf(last)) ?? before;
  },

  change(o, index, { result }, bytes) {
    const { change } = effectsOfCall(o);
    for (let i = 0; i < result; i++) {
      const tooth = toothOf(o, i);
      change?.(tooth, toothIndex(index, i), { result: doneOf(tooth) }, bytes);
    }
    if (result !== teethOf(o)) bytes.loseTrack();
  },
  overwrites: (o) => effectsOfCall(o).overwrites?.(whole(o)) ?? NO_BYTES,

  dirties: (o) => effectsOfCall(o).dirties?.(whole(o)) ?? NO_BYTES,
  onlyDirties: (o) => effectsOfCall(o).onlyDirties?.(whole(o)) === true,
  frees: (o, before, blockSize) =>
    effectsOfCall(o).frees?.(whole(o), before, blockSize) ?? NO_BYTES,
  zeroes: (o) => effectsOfCall(o).zeroes?.(whole(o)) === true,
};
