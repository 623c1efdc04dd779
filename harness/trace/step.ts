/**
 * Steps of a trace, and what they are here: an Operation and the Observation after it. Both ways,
 * side by side.
 */
import { createHash } from "node:crypto";
import { EXT_MAX_BLOCKS } from "../../model/include/types.ts";
import { appendMerged } from "../system/merged-extents.ts";
import type { CacheExtent, ExtentState, Observation } from "../case/observation.ts";
import { clampOperation } from "../operations/operation.ts";
import type { FallocateMode } from "../operations/fallocate/operation.ts";
import type { Operation, OperationOf } from "../operations/operation.ts";
import type { Call, Entry, StateName, Step } from "./format.ts";
import { fallocateModes, modeNumber } from "./modes.ts";

const states = {
  delalloc: "delayed",
  unwritten: "unwritten",
  written: "written",
  hole: "hole",
} as const;

const stateNames: Readonly<Record<ExtentState, StateName>> & { hole: "hole" } = {
  delayed: "delalloc",
  unwritten: "unwritten",
  written: "written",
  hole: "hole",
};

/** SHA-256 of bytes that were read, as a trace holds it. */
export function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

export function operationOf(step: Step): Operation {
  switch (step.op) {
    case "pwrite":
      return { op: "pwrite", pos: step.offset, len: step.length, readable: step.readable };
    case "mmapwrite":
      // Past the end of the file nothing is stored, however long it is.
      return { op: "mmap_write", pos: step.offset, len: Math.max(step.length, 1) };
    case "pread":
    case "sync_file_range":
      return { op: step.op, pos: step.offset, len: step.length };
    case "ftruncate":
      return { op: "ftruncate", size: step.length ?? step.size };
    case "fallocate": {
      const mode = fallocateModes.get(step.mode) as FallocateMode;
      return { op: "fallocate", mode, pos: step.offset, len: step.length };
    }
    case "fsync":
    case "drop_cache":
      return { op: step.op };
  }
}

function merged<S extends keyof typeof states>(list: readonly Entry<S>[]) {
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
    cache: step.es === undefined ? undefined : merged(step.es),
    read: undefined,
  };
}

/** What versions 1 and 2 have a step for: `isRecordable` says of what. */
type Recorded = OperationOf<
  | "pwrite"
  | "mmap_write"
  | "pread"
  | "sync_file_range"
  | "ftruncate"
  | "fallocate"
  | "fsync"
  | "drop_cache"
>;

function callOf(operation: Recorded, before: number): Call {
  switch (operation.op) {
    case "pwrite": {
      const { pos, len, readable } = operation;
      return { op: "pwrite", offset: pos, length: len, readable };
    }
    case "mmap_write": {
      const clamped = clampOperation(operation, before);
      return { op: "mmapwrite", offset: operation.pos, length: clamped?.len ?? 0 };
    }
    case "pread":
    case "sync_file_range":
      return { op: operation.op, offset: operation.pos, length: operation.len };
    case "ftruncate":
      return { op: "ftruncate", length: operation.size };
    case "fallocate": {
      const { mode, pos, len } = operation;
      return { op: "fallocate", mode: modeNumber(mode), offset: pos, length: len };
    }
    case "fsync":
    case "drop_cache":
      return { op: operation.op };
  }
}

function entries<S extends CacheExtent["state"]>(
  list: readonly { lblk: number; len: number; state: S }[],
): Entry<(typeof stateNames)[S]>[] {
  return list.map(({ lblk, len, state }) => [lblk, len, stateNames[state]]);
}

/** Bytes that a call which returned `result` stored or moved. */
function returned(call: Call, result: number): number {
  if (result < 0) return -1;
  return call.op === "mmapwrite" ? call.length : result;
}

/**
 * The step, of version 2, that an operation and what was seen after it are.
 *
 * @param before i_size before the operation, bytes
 */
export function stepOf(operation: Operation, seen: Observation, before: number): Step {
  const call = callOf(operation as Recorded, before);
  const { result, windows, cache, read } = seen;
  return {
    ...call,
    ret: returned(call, result),
    errno: result < 0 ? -result : 0,
    size: seen.i_size,
    blocks512: seen.st_blocks,
    delalloc: seen.reserved,
    fiemap: entries(seen.map),
    ...(cache !== undefined && { es: entries(cache) }),
    ...(windows !== undefined && {
      windows: windows.map(({ lblk, end }) => [lblk, end > EXT_MAX_BLOCKS ? null : end]),
    }),
    pieces: seen.pieces,
    breaks: [...(seen.breaks ?? [])],
    ...(read !== undefined && { sha256: digestOf(read) }),
  };
}
