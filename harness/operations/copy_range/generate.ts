/**
 * copy_range: mostly to where something is, and from there.
 */
import { endsOf, smaller } from "../../aspects/generation.ts";
import type { Generation } from "../../aspects/generation.ts";
import type { CopyRange } from "./operation.ts";

/** Of a hundred copies in a case of two files, those from one to the other. */
const ACROSS_PERCENT = 75;

export const generation: Generation<CopyRange> = {
  share: { recordable: 0, all: 0, twoFiles: 2 },
  generate(draw) {
    draw.range();
    const { pos: to_pos, len, file: to } = draw;
    const copy = { op: "copy_range" as const, pos: draw.position(), to_pos, len };
    if (to === undefined) return copy;
    const from = draw.percent(ACROSS_PERCENT) ? 1 - to : to;
    return { ...copy, ...(from === 1 && { file: 1 }), ...(to === 1 && { to }) };
  },
  rank: ({ file = 0, to = 0 }) => (file === to ? 4 : 5),
  *simpler(o, { blockSize: unit }) {
    const { pos, to_pos, len } = o;
    yield { op: "pwrite", pos: to_pos, len, readable: len };
    yield { op: "pread", pos, len };
    const { file: _, ...fromFirst } = o;
    if (o.file === 1) yield fromFirst;
    yield { ...o, pos: 0, to_pos: 0, len: unit };
    yield { ...o, to_pos: pos };
    for (const less of smaller(len, 1, unit)) yield { ...o, len: less };
    for (const less of smaller(pos, 0, unit)) yield { ...o, pos: less };
    for (const less of smaller(to_pos, 0, unit)) yield { ...o, to_pos: less };
  },
  points: (o) => [...endsOf(o), ...endsOf({ pos: o.to_pos, len: o.len })],
  move(o, move) {
    const [pos, to_pos] = [move(o.pos), move(o.to_pos)];
    const len = move(o.pos + o.len) - pos;
    return len < 1 ? undefined : { ...o, pos, to_pos, len };
  },
  numbers: ({ to_pos }) => [to_pos],
};
