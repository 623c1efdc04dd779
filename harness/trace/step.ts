/**
 * Steps of versions 1 and 2, and what they are here: an Operation and the Observation after it.
 */
import { createHash } from "node:crypto";
import { appendMerged } from "../system/merged-extents.ts";
import type { Observation } from "../case/observation.ts";
import type { FallocateMode } from "../operations/fallocate/operation.ts";
import type { Operation } from "../operations/operation.ts";
import type { Entry, Step } from "./format.ts";
import { fallocateModes } from "./modes.ts";

const states = {
  delalloc: "delayed",
  unwritten: "unwritten",
  written: "written",
  hole: "hole",
} as const;

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
