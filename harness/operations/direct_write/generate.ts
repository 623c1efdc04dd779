/**
 * direct_write: past the page cache, on blocks, on sectors within them, and on neither.
 */
import { endsOfReadable, moveReadable, simplerRange, smaller } from "../../aspects/generation.ts";
import type { Generation } from "../../aspects/generation.ts";
import { MAX_IO_BYTES, SECTOR_BYTES } from "../../case/limits.ts";
import type { Weights } from "../../draw/weights.ts";
import { SHORT_WRITE_PERCENT, shortReadable } from "../pwrite/generate.ts";
import type { DirectWrite } from "./operation.ts";
import { type Draw, expand } from "../../draw/draw.ts";

/** How the ends of direct I/O are aligned: to blocks, to sectors of 512 bytes, or not at all. */
const DIRECT_WEIGHTS: Weights<"block" | "sector" | "byte"> = {
  block: 60,
  sector: 28,
  byte: 12,
};

const alignments = expand(DIRECT_WEIGHTS);

/** The range with its ends moved down to what direct I/O is aligned to, at least one unit long. */
export function alignedRange(draw: Draw, pos: number, len: number): { pos: number; len: number } {
  const alignment = draw.pick(alignments);
  if (alignment === "byte") return { pos, len };
  const unit = alignment === "block" ? draw.space.blockSize : SECTOR_BYTES;
  const start = pos - (pos % unit);
  const units = Math.max(1, Math.floor(len / unit));
  return { pos: start, len: Math.min(units * unit, MAX_IO_BYTES) };
}

export const generation: Generation<DirectWrite> = {
  share: { recordable: 0, all: 3 },
  generate(draw) {
    draw.range();
    const { pos, len } = alignedRange(draw, draw.pos, draw.len);
    const readable = draw.percent(SHORT_WRITE_PERCENT) ? shortReadable(draw, pos, len) : len;
    return { op: "direct_write", pos, len, readable };
  },
  rank: ({ readable, len }) => (readable === len ? 4 : 5),
  *simpler(operation, space) {
    const { pos, len, readable } = operation;
    yield { op: "pwrite", pos, len, readable };
    if (readable === len) {
      for (const whole of simplerRange(operation, space)) yield { ...whole, readable: whole.len };
      return;
    }
    yield { ...operation, readable: len };
    for (const shorter of simplerRange(operation, space)) {
      yield { ...shorter, readable: Math.min(readable, shorter.len - 1) };
    }
    for (const fewer of smaller(readable, 0, space.pageSize)) {
      if (fewer < len) yield { ...operation, readable: fewer };
    }
  },
  points: endsOfReadable,
  move: moveReadable,
};
