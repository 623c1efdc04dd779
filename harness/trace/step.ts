/**
 * Steps of versions 1 and 2: which fields there are, what each may hold, and what a step is here,
 * an Operation and the Observation after it.
 *
 * What is accepted is safe to hold against the model: whole numbers in range, sorted lists.
 */
import { createHash } from "node:crypto";
import * as z from "zod";
import { EXT_MAX_BLOCKS } from "../../model/include/types.ts";
import { MAX_ENTRIES, MAX_IO_BYTES, MAX_POS_BYTES } from "../case/limits.ts";
import type { Observation } from "../case/observation.ts";
import type { FallocateMode } from "../operations/fallocate/operation.ts";
import type { Operation } from "../operations/operation.ts";
import { appendMerged } from "../system/merged-extents.ts";
import { that, whole } from "./format.ts";
import type { TraceHeaderV1, TraceHeaderV2 } from "./format.ts";

const states = {
  delalloc: "delayed",
  unwritten: "unwritten",
  written: "written",
  hole: "hole",
} as const;
type StateName = keyof typeof states;

/**
 * fallocate(2) modes as numbers, the flags as the kernel knows them (include/uapi/linux/falloc.h).
 */
const fallocateModes: ReadonlyMap<unknown, FallocateMode> = new Map([
  [0, "allocate"],
  [0x01, "keep_size"],
  [0x03, "punch_hole"],
  [0x08, "collapse_range"],
  [0x10, "zero_range"],
  [0x11, "zero_range_keep_size"],
  [0x20, "insert_range"],
]);

const block = whole(0, EXT_MAX_BLOCKS);

const isShort = (value: unknown): boolean => Array.isArray(value) && value.length <= MAX_ENTRIES;

/**
 * A list of which each entry begins where the one before it ends, or later. Its length is seen
 * before anything that is in it.
 */
function sorted<T>(
  entry: z.ZodType<T, T>,
  span: (entry: T) => readonly [start: number, end: number],
) {
  const inOrder = (list: readonly T[]): boolean =>
    list.every((one, i) => i === 0 || span(one)[0] >= span(list[i - 1]!)[1]);
  const list = z.custom<T[]>(isShort, `is no list, or of more than ${MAX_ENTRIES} entries`);
  return list.pipe(z.array(entry)).refine(inOrder, "is not sorted, or overlaps");
}

/** [first block, blocks, state], each with one of `names`. */
function extents<S extends StateName>(names: readonly S[]) {
  const shape = [block, whole(1, EXT_MAX_BLOCKS), z.enum(names)] as const;
  const entry = z.tuple(shape, "is not [first, blocks, state]");
  return sorted(entry, ([lblk, len]) => [lblk, lblk + len]).refine(
    (list) => list.every(([lblk, len]) => lblk + len <= EXT_MAX_BLOCKS),
    `ends past block ${EXT_MAX_BLOCKS}`,
  );
}

/** [first block, end], which do not touch; null, in the last, is the end of the file. */
const windows = sorted(
  z
    .tuple([block, block.nullable()], "is not [first, end]")
    .refine(([lblk, end]) => end === null || end > lblk, "is empty"),
  ([lblk, end]) => [lblk, (end ?? lblk) + 1],
).superRefine((list, context) => {
  const open = list.findIndex(([, end]) => end === null);
  if (open < 0 || open === list.length - 1) return;
  context.addIssue({ code: "custom", path: [open], message: "null is for the last" });
});

/** Largest that a number holds without loss. */
const MAX = Number.MAX_SAFE_INTEGER;

/** Largest errno of the kernel (include/linux/err.h MAX_ERRNO). */
const MAX_ERRNO = 4095;

const STATES = ["delalloc", "unwritten", "written"] as const;

const digest = (value: unknown): boolean =>
  typeof value === "string" && /^[0-9a-f]{64}$/.test(value);

/** What is seen after every operation; `presenceOf` says who has what is optional here. */
const seen = {
  ret: whole(-1, MAX),
  errno: whole(0, MAX_ERRNO),
  size: whole(0, MAX_POS_BYTES),
  blocks512: whole(0, MAX),
  delalloc: whole(-MAX, MAX),
  fiemap: extents(STATES),
  es: extents([...STATES, "hole"]).optional(),
  pieces: whole(0, EXT_MAX_BLOCKS).optional(),
  breaks: sorted(block, (at) => [at, at + 1]).optional(),
  windows: windows.optional(),
  sha256: that<string>(digest, "is no SHA-256 in hexadecimal").optional(),
};

/** The step of a call `op`, and what that is called with. */
function call<O extends string, S extends z.core.$ZodLooseShape>(op: O, operands: S) {
  return z.strictObject(
    { op: z.literal(op), ...operands, ...seen },
    { error: ({ code }) => (code === "unrecognized_keys" ? `${op} has no such field` : undefined) },
  );
}

const offset = whole(0, MAX_POS_BYTES);
const ioRange = { offset, length: whole(1, MAX_IO_BYTES) };
const range = { offset, length: whole(1, MAX_POS_BYTES) };
const modes = [...fallocateModes.keys()].join(", ");
const mode = that<number>((value) => fallocateModes.has(value), `is none of the modes ${modes}`);

const calls = z.discriminatedUnion("op", [
  call("pwrite", { ...ioRange, readable: whole(0, MAX_IO_BYTES) }),
  call("mmapwrite", { offset, length: whole(0, MAX_IO_BYTES) }),
  call("pread", ioRange),
  call("fsync", {}),
  call("sync_file_range", range),
  call("ftruncate", { length: offset.optional() }),
  call("fallocate", { mode, ...range }),
  call("drop_cache", {}),
]);
export type Step = z.infer<typeof calls>;

/** Which of the fields that are optional above must be there, and which must not. */
function presenceOf({ op, ret }: Step, header: TraceHeaderV1 | TraceHeaderV2) {
  const second = header.version === 2;
  return {
    // In version 1 the argument of ftruncate is the size that was seen.
    ...(op === "ftruncate" && { length: second }),
    es: !second || header.traits.cacheIoctl,
    pieces: second,
    breaks: second,
    ...(!second && { windows: false }),
    sha256: second && op === "pread" && ret >= 0,
  };
}

/**
 * Index of the first break that is not at an allocated block right behind another; -1 where none
 * is elsewhere.
 */
function misplacedBreak({ fiemap, breaks = [] }: Step): number {
  const held = fiemap.filter(([, , state]) => state !== "delalloc");
  const endOf = (i: number): number => (held[i] === undefined ? -1 : held[i][0] + held[i][1]);
  let i = 0;
  return breaks.findIndex((at) => {
    while (i < held.length && endOf(i) <= at) i += 1;
    const first = held[i]?.[0] ?? Infinity;
    return first > at || (first === at && endOf(i - 1) !== at);
  });
}

/** What is wrong between fields that each by itself are right; undefined where nothing is. */
function contradiction(
  step: Step,
  header: TraceHeaderV1 | TraceHeaderV2,
): [path: (string | number)[], reason: string] | undefined {
  const { op, ret, errno } = step;
  if (ret < 0 && errno === 0) return [["errno"], "is 0, but ret is negative"];
  if (ret >= 0 && errno !== 0) return [["errno"], "is not 0, but ret is not negative"];
  if (op === "pwrite" && step.readable > step.length) return [["readable"], "exceeds length"];
  if (op === "mmapwrite" && step.length === 0 && step.offset < step.size) {
    return [["length"], "is 0 inside the file"];
  }
  for (const [name, needed] of Object.entries(presenceOf(step, header))) {
    if (needed === (step[name as keyof Step] !== undefined)) continue;
    const unread = header.version === 2 && name === "sha256";
    return [[name], unread ? "is there, but nothing was read" : `${op} has no such field`];
  }
  const at = misplacedBreak(step);
  if (at < 0) return undefined;
  return [["breaks", at], `${step.breaks?.[at]} is no allocated block behind another in fiemap`];
}

const isObject = (value: unknown): boolean => typeof value === "object" && value !== null;

/** A step below this header. */
export function stepSchemaOf(header: TraceHeaderV1 | TraceHeaderV2): z.ZodType<Step> {
  const schema = calls.superRefine((step, context) => {
    const [path, message] = contradiction(step, header) ?? [];
    if (path !== undefined) context.addIssue({ code: "custom", path, message });
  });
  const step = that<z.input<typeof calls>>(isObject, "is no step");
  // A list is an object, too, and has no op.
  return step.transform((value) => ({ ...value })).pipe(schema);
}

/** SHA-256 of bytes that were read, as a trace holds it. */
export function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

export function operationOf(step: Step): Operation {
  switch (step.op) {
    case "pwrite":
      return { op: step.op, pos: step.offset, len: step.length, readable: step.readable };
    case "mmapwrite":
      // Past the end of the file nothing is stored, however long it is.
      return { op: "mmap_write", pos: step.offset, len: Math.max(step.length, 1) };
    case "pread":
    case "sync_file_range":
      return { op: step.op, pos: step.offset, len: step.length };
    case "ftruncate":
      return { op: step.op, size: step.length ?? step.size };
    case "fallocate":
      return {
        op: step.op,
        mode: fallocateModes.get(step.mode)!,
        pos: step.offset,
        len: step.length,
      };
    case "fsync":
    case "drop_cache":
      return { op: step.op };
  }
}

function merged<S extends StateName>(list: readonly [lblk: number, len: number, state: S][]) {
  const extents: { lblk: number; len: number; state: (typeof states)[S] }[] = [];
  for (const [lblk, len, name] of list) appendMerged(extents, lblk, len, states[name]);
  return extents;
}

/**
 * What was seen after `step`. The bytes of a read are not in it: a trace has no more than their
 * digest.
 */
export function observationOf(step: Step): Observation {
  const map = merged(step.fiemap);
  return {
    result: step.ret < 0 ? -step.errno : step.op === "mmapwrite" ? 0 : step.ret,
    i_size: step.size,
    st_blocks: step.blocks512,
    map,
    windows: step.windows?.map(([lblk, end]) => ({ lblk, end: end ?? Infinity })),
    // Version 1 has merged them. A file of more pieces has more tree blocks than `compare` then
    // allows, and shows.
    pieces: step.pieces ?? map.length,
    breaks: step.breaks,
    reserved: step.delalloc,
    cache: step.es && merged(step.es),
    read: undefined,
  };
}
