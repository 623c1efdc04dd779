/**
 * Shape: what a case left, in three numbers, so that two kernels can be compared case by case where
 * both do what they may. How many blocks and extents a file has, and where its holes are, may
 * differ between kernels that are both right; a developer wants to know.
 */
import type { ExtentState, Observation } from "../case/observation.ts";

export interface CaseShape {
  /** Number of the case in its run. */
  case: number;
  /** Hash of the map, 32 bits. */
  map: number;
  /** st_blocks, units of 512 bytes. */
  blocks: number;
  /** Extents that FIEMAP lists, as the allocator split them. */
  extents: number;
}

const FIELDS = 4;

const stateNumbers: Record<ExtentState, number> = { delayed: 1, unwritten: 2, written: 3 };

/** One step of FNV-1a over a 32-bit number (Fowler, Noll, Vo; public domain). */
function mix(hash: number, value: number): number {
  return Math.imul(hash ^ value, 0x01000193);
}

/** The shape of the file that a case ended with. */
export function shapeOf(number: number, { map, st_blocks, pieces }: Observation): CaseShape {
  let hash = 0x811c9dc5 | 0;
  for (const { lblk, len, state } of map) {
    hash = mix(mix(mix(hash, lblk), len), stateNumbers[state]);
  }
  return { case: number, map: hash, blocks: st_blocks, extents: pieces };
}

/** Shapes as text for a message: 22 characters each. */
export function packShapes(shapes: readonly CaseShape[]): string {
  const numbers = Int32Array.from(shapes.flatMap((s) => [s.case, s.map, s.blocks, s.extents]));
  return Buffer.from(numbers.buffer).toString("base64");
}

/** The shapes in a text of `packShapes`. */
export function unpackShapes(text: string): CaseShape[] {
  const bytes = Uint8Array.from(Buffer.from(text, "base64"));
  const numbers = new Int32Array(bytes.buffer);
  return Array.from({ length: numbers.length / FIELDS }, (_, i) => {
    const [number = 0, map = 0, blocks = 0, extents = 0] = numbers.subarray(i * FIELDS);
    return { case: number, map, blocks, extents };
  });
}
