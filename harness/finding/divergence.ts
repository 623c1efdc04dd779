/**
 * Divergence: the finding. Model and kernel, or kernel and contract, disagree after a step of a
 * case.
 *
 * It is plain data that JSON holds without loss, so it can be shrunk, stored, printed and sent from
 * a guest; the one thing of an observation that is bulky, the bytes that were read, is kept as a
 * digest and the bytes that matter.
 */
import { createHash } from "node:crypto";
import * as z from "zod";
import type {
  CacheExtent,
  CachedPages,
  CutLook,
  Extent,
  Observation,
  PausedLook,
} from "../case/observation.ts";
import type { EarlierCase } from "./earlier-case.ts";
import type { Operation } from "../operations/operation.ts";

export const DIVERGENCE_KINDS = [
  // After every operation, in the order in which they are compared.
  "result",
  "i_size",
  "map",
  "reserved",
  "cache",
  "st_blocks",
  "read",
  "power-cut",
  "pages",
  // A promise of the patch's text, whatever the model says.
  "contract",
  // At a checkpoint, from the image.
  "on-disk-map",
  "on-disk-size",
  "on-disk-blocks",
  "contents",
  "e2fsck",
  "free-blocks",
  // From the kernel as a whole.
  "mount",
  "kernel-log",
  "hang",
  "panic",
] as const;
export const divergenceKindSchema = z.enum(DIVERGENCE_KINDS);
export type DivergenceKind = (typeof DIVERGENCE_KINDS)[number];

/** Bytes of a read that are kept: enough to see whose data they are. */
const KEPT_BYTES = 32;

/** The bytes that a pread returned. */
export interface RecordedRead {
  /** Bytes that were read. */
  length: number;
  /** SHA-256 of all of them, hexadecimal. */
  sha256: string;
  /** Offset in the read of the kept bytes; where the two reads differ first, or 0. */
  offset: number;
  /** Up to 32 bytes from `offset` on, base64. */
  bytes: string;
}

/** An Observation as data that JSON holds. */
export interface RecordedObservation {
  result: number;
  i_size: number;
  st_blocks: number;
  map: Extent[];
  pieces: number;
  reserved: number;
  pages?: CachedPages;
  cache?: CacheExtent[];
  read?: RecordedRead;
  during?: PausedLook[];
  cut?: RecordedCut;
}

/** A look after a power cut as data that JSON holds. */
export interface RecordedCut {
  commits: number;
  file?: { i_size: number; map: Extent[]; bytes?: RecordedRead };
  complaints: string[];
}

export interface Divergence {
  /** Name of the variant. */
  variant: string;
  /**
   * Index in `operations` of the operation after which it showed; the last one for what a
   * checkpoint finds.
   */
  step: number;
  operations: Operation[];
  /**
   * Cases that ran on the same file system before, where it takes them; the first one first. Absent
   * where it takes none.
   */
  before?: EarlierCase[];
  kind: DivergenceKind;
  /**
   * What the model, or the contract, allows. Absent where no observation was made: a hang, a line
   * in the kernel log.
   */
  expected?: RecordedObservation;
  seen?: RecordedObservation;
  /** The first difference in words, one line. */
  message: string;
  /** What a program said that a reader will want to see: lines of e2fsck or of the kernel log. */
  evidence?: string[];
}

/** What `divergence` is made of: observations as they were made, with their bytes. */
export interface DivergenceParts extends Omit<Divergence, "expected" | "seen"> {
  expected?: Observation | undefined;
  seen?: Observation | undefined;
}

function recordRead(read: Uint8Array, offset: number): RecordedRead {
  return {
    length: read.length,
    sha256: createHash("sha256").update(read).digest("hex"),
    offset,
    bytes: Buffer.from(read.subarray(offset, offset + KEPT_BYTES)).toString("base64"),
  };
}

function recordCut({ commits, file, complaints }: CutLook, offset: number): RecordedCut {
  if (file === undefined) return { commits, complaints: [...complaints] };
  const { i_size, map, bytes } = file;
  const read = bytes === undefined ? {} : { bytes: recordRead(bytes, offset) };
  return { commits, file: { i_size, map: [...map], ...read }, complaints: [...complaints] };
}

/** A copy of `observation` as data. The bytes read are kept from `offset` on. */
export function recordObservation(observation: Observation, offset = 0): RecordedObservation {
  const { result, i_size, st_blocks, pieces, reserved, map, pages, cache, read, during, cut } =
    observation;
  return {
    result,
    i_size,
    st_blocks,
    map: map.map((extent) => ({ ...extent })),
    pieces,
    reserved,
    ...(pages === undefined ? {} : { pages: { ...pages } }),
    ...(cache === undefined ? {} : { cache: cache.map((extent) => ({ ...extent })) }),
    ...(read === undefined ? {} : { read: recordRead(read, offset) }),
    ...(during === undefined ? {} : { during: during.map((look) => ({ ...look })) }),
    ...(cut === undefined ? {} : { cut: recordCut(cut, offset) }),
  };
}

/**
 * Index of the first byte in which two reads differ, or that only one of them has; -1 where they
 * are equal.
 */
export function firstDifferentByte(expected: Uint8Array, seen: Uint8Array): number {
  const common = Math.min(expected.length, seen.length);
  for (let i = 0; i < common; i++) if (expected[i] !== seen[i]) return i;
  return expected.length === seen.length ? -1 : common;
}

/** What was read, in the operation or after it. */
function bytesOf(observation: Observation | undefined): Uint8Array | undefined {
  return observation?.read ?? observation?.cut?.file?.bytes;
}

/** Make a Divergence of live observations, which the caller may go on to change. */
export function divergence(parts: DivergenceParts): Divergence {
  const { expected, seen, ...rest } = parts;
  let offset = 0;
  const [should, is] = [bytesOf(expected), bytesOf(seen)];
  if (should !== undefined && is !== undefined) {
    offset = Math.max(0, firstDifferentByte(should, is));
  }
  return {
    ...rest,
    operations: rest.operations.map((operation) => ({ ...operation })),
    ...(expected === undefined ? {} : { expected: recordObservation(expected, offset) }),
    ...(seen === undefined ? {} : { seen: recordObservation(seen, offset) }),
  };
}
