/**
 * The fields of a step: which there are, and what each may hold. One table for every operation and
 * both versions of the format. Millions of steps go through it, so a field that is right costs a
 * call and no memory.
 *
 * What it accepts is safe to hold against the model: whole numbers in range, lists that are sorted.
 */
import { EXT_MAX_BLOCKS } from "../../model/include/types.ts";
import { MAX_ENTRIES, MAX_IO_BYTES, MAX_POS_BYTES } from "../case/limits.ts";
import { shown, shownName } from "../stored/shown.ts";
import { fallocateModes } from "./modes.ts";
import type { Step, StepName, TraceHeaderV1, TraceHeaderV2 } from "./format.ts";

/** Where in a step something is wrong, and what: `fiemap[3][2]`, `"lost" is none of ...`. */
export interface Fault {
  path: string;
  reason: string;
}

/** The fault of a value; undefined where it has none. */
type Check = (value: unknown) => Fault | undefined;

const fault = (reason: string, path = ""): Fault => ({ path, reason });

/** The fault of element `i` of a list. */
const inElement = (i: number, { path, reason }: Fault): Fault => fault(reason, `[${i}]${path}`);

function whole(minimum: number, maximum: number): Check {
  return (value) => {
    const right = Number.isInteger(value) && (value as number) >= minimum;
    if (right && (value as number) <= maximum) return undefined;
    return fault(`${shown(value)} is no whole number from ${minimum} to ${maximum}`);
  };
}

const block = whole(0, EXT_MAX_BLOCKS);
const blocks = whole(1, EXT_MAX_BLOCKS);

/** The fault of a value that should be a list, whatever is in it. */
function listFault(value: unknown): Fault | undefined {
  if (!Array.isArray(value)) return fault("is no list");
  if (value.length <= MAX_ENTRIES) return undefined;
  return fault(`has ${value.length} entries; ${MAX_ENTRIES} is the limit`);
}

const UNSORTED = fault("is not sorted, or overlaps");

/** The fault of [first block, blocks, state]. */
function entryFault(entry: unknown, states: ReadonlySet<unknown>): Fault | undefined {
  if (!Array.isArray(entry) || entry.length !== 3) return fault("is not [first, blocks, state]");
  const lblk = block(entry[0]);
  if (lblk !== undefined) return inElement(0, lblk);
  const len = blocks(entry[1]);
  if (len !== undefined) return inElement(1, len);
  if (states.has(entry[2])) return undefined;
  return fault(`${shown(entry[2])} is none of ${[...states].join(", ")}`, "[2]");
}

/** A sorted list of [first block, blocks, state], each with one of `names`. */
function extents(names: readonly string[]): Check {
  const states = new Set<unknown>(names);
  return (value) => {
    const noList = listFault(value);
    if (noList !== undefined) return noList;
    let end = 0;
    const list = value as unknown[];
    for (let i = 0; i < list.length; i++) {
      const wrong = entryFault(list[i], states);
      if (wrong !== undefined) return inElement(i, wrong);
      const [lblk, len] = list[i] as [number, number];
      if (lblk < end) return UNSORTED;
      end = lblk + len;
    }
    return end > EXT_MAX_BLOCKS ? fault(`ends past block ${EXT_MAX_BLOCKS}`) : undefined;
  };
}

/**
 * A sorted list of [first block, end] that do not touch; null, in the last, is the end of the file.
 */
const windows: Check = (value) => {
  const noList = listFault(value);
  if (noList !== undefined) return noList;
  const list = value as unknown[];
  let before = -1;
  for (let i = 0; i < list.length; i++) {
    const window = list[i];
    if (!Array.isArray(window) || window.length !== 2) {
      return inElement(i, fault("is not [first, end]"));
    }
    const [lblk, end] = window as unknown[];
    const open = end === null && i === list.length - 1;
    const wrong = block(lblk) ?? (open ? undefined : block(end));
    if (wrong !== undefined) return inElement(i, wrong);
    if ((lblk as number) <= before) return UNSORTED;
    if (!open && (end as number) <= (lblk as number)) return inElement(i, fault("is empty"));
    before = end as number;
  }
  return undefined;
};

/** A list of block numbers that rise. */
const risingBlocks: Check = (value) => {
  const noList = listFault(value);
  if (noList !== undefined) return noList;
  const list = value as unknown[];
  let before = -1;
  for (let i = 0; i < list.length; i++) {
    const wrong = block(list[i]);
    if (wrong !== undefined) return inElement(i, wrong);
    if ((list[i] as number) <= before) return UNSORTED;
    before = list[i] as number;
  }
  return undefined;
};

const sha256: Check = (value) =>
  typeof value === "string" && /^[0-9a-f]{64}$/.test(value)
    ? undefined
    : fault(`${shown(value)} is no SHA-256 in hexadecimal`);

const mode: Check = (value) =>
  fallocateModes.has(value as number)
    ? undefined
    : fault(`${shown(value)} is none of the modes ${[...fallocateModes.keys()].join(", ")}`);

/** Largest that a number holds without loss. */
const MAX = Number.MAX_SAFE_INTEGER;

/** Largest errno of the kernel (include/linux/err.h MAX_ERRNO). */
const MAX_ERRNO = 4095;

const offset = whole(0, MAX_POS_BYTES);
const ioLength = whole(1, MAX_IO_BYTES);
const rangeLength = whole(1, MAX_POS_BYTES);

/**
 * What each operation is called with. The argument of ftruncate is `length` since version 2;
 * before, `size` is.
 */
const operands: Readonly<Record<StepName, Readonly<Record<string, Check>>>> = {
  pwrite: { offset, length: ioLength, readable: whole(0, MAX_IO_BYTES) },
  mmapwrite: { offset, length: whole(0, MAX_IO_BYTES) },
  pread: { offset, length: ioLength },
  fsync: {},
  sync_file_range: { offset, length: rangeLength },
  ftruncate: {},
  fallocate: { mode, offset, length: rangeLength },
  drop_cache: {},
};

const states = ["delalloc", "unwritten", "written"];

/** What is seen after every operation. */
const seen: Readonly<Record<string, Check>> = {
  ret: whole(-1, MAX),
  errno: whole(0, MAX_ERRNO),
  size: whole(0, MAX_POS_BYTES),
  blocks512: whole(0, MAX),
  delalloc: whole(-MAX, MAX),
  fiemap: extents(states),
};

const es = extents([...states, "hole"]);

/** What version 2 adds to it. */
const seenSince2: Readonly<Record<string, Check>> = {
  pieces: whole(0, EXT_MAX_BLOCKS),
  breaks: risingBlocks,
};

/** What a step of version 2 may have or lack. */
const maybeSince2: Readonly<Record<string, Check>> = { windows, sha256 };

interface Fields {
  names: readonly string[];
  checks: readonly Check[];
  /** So many of them, from the first on, must be there. */
  needed: number;
}

function fieldsOf(
  op: StepName,
  header: Pick<TraceHeaderV1 | TraceHeaderV2, "version">,
  cacheIoctl: boolean,
): Fields {
  const second = header.version === 2;
  const needed = {
    op: () => undefined,
    ...operands[op],
    ...(second && op === "ftruncate" && { length: offset }),
    ...seen,
    ...(cacheIoctl && { es }),
    ...(second && seenSince2),
  };
  const all = { ...needed, ...(second && maybeSince2) };
  const names = Object.keys(all);
  return { names, checks: Object.values(all), needed: Object.keys(needed).length };
}

/**
 * The first break that is not where it may be: at an allocated block right behind another. Both
 * lists are sorted.
 */
function breaksFault({ fiemap, breaks = [] }: Step): Fault | undefined {
  let at = 0;
  /** First block and end of allocated extents without a gap, as far as they were gone through. */
  let first = -1;
  let end = -1;
  for (let i = 0; i < breaks.length; i++) {
    const block = breaks[i] as number;
    for (let entry = fiemap[at]; entry !== undefined && end <= block; entry = fiemap[++at]) {
      const [lblk, len, state] = entry;
      if (state === "delalloc") continue;
      if (lblk !== end) first = lblk;
      end = lblk + len;
    }
    if (block > first && block < end) continue;
    return fault(`${block} is no allocated block behind another in fiemap`, `breaks[${i}]`);
  }
  return undefined;
}

/** The fields of a step that each by itself is right: what is wrong between them. */
function contradiction(step: Step, version: number): Fault | undefined {
  if (step.ret < 0 && step.errno === 0) return fault("is 0, but ret is negative", "errno");
  if (step.ret >= 0 && step.errno !== 0) return fault("is not 0, but ret is not negative", "errno");
  if (step.op === "pwrite" && step.readable > step.length) {
    return fault("exceeds length", "readable");
  }
  if (step.op === "mmapwrite" && step.length === 0 && step.offset < step.size) {
    return fault("is 0 inside the file", "length");
  }
  if (version === 1) return undefined;
  const misplaced = breaksFault(step);
  if (misplaced !== undefined) return misplaced;
  const read = step.op === "pread" && step.ret >= 0;
  if (read === (step.sha256 !== undefined)) return undefined;
  return fault(read ? "is missing" : "is there, but nothing was read", "sha256");
}

/** Finds the first fault of a value that is to be a step; undefined means that it is a Step. */
export type StepCheck = (value: unknown) => Fault | undefined;

/** The check of the steps below a header. */
export function stepCheck(header: TraceHeaderV1 | TraceHeaderV2): StepCheck {
  const cacheIoctl = header.version === 1 || header.traits.cacheIoctl;
  const names = Object.keys(operands) as StepName[];
  const table = new Map<unknown, Fields>(names.map((op) => [op, fieldsOf(op, header, cacheIoctl)]));
  return (value) => {
    if (typeof value !== "object" || value === null) return fault(`${shown(value)} is no step`);
    const step = value as Readonly<Record<string, unknown>>;
    const op = Object.hasOwn(step, "op") ? step["op"] : undefined;
    const fields = table.get(op);
    if (fields === undefined) {
      return fault(op === undefined ? "is missing" : `there is no operation ${shown(op)}`, "op");
    }
    return fieldsFault(step, fields) ?? contradiction(value as Step, header.version);
  };
}

function fieldsFault(
  step: Readonly<Record<string, unknown>>,
  { names, checks, needed }: Fields,
): Fault | undefined {
  let known = 0;
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string;
    const value = step[name];
    if (value === undefined) {
      if (i < needed) return fault("is missing", name);
      continue;
    }
    known += 1;
    const wrong = (checks[i] as Check)(value);
    if (wrong !== undefined) return fault(wrong.reason, name + wrong.path);
  }
  let fields = 0;
  for (const _ in step) fields += 1;
  if (fields === known) return undefined;
  const unknown = Object.keys(step).find((name) => !names.includes(name)) as string;
  return fault(`${String(step["op"])} has no such field`, shownName(unknown));
}
