/**
 * comb: what makes an extent tree that has more than one leaf, in cases that are about that
 * (generation/deep.ts).
 */
import { endsOf, moveRange, simplerRange, smaller } from "../../aspects/generation.ts";
import type { Generation } from "../../aspects/generation.ts";
import { MAX_IO_BYTES } from "../../case/limits.ts";
import { drawComb } from "./draw.ts";
import { teethOf } from "./operation.ts";
import type { Comb } from "./operation.ts";

/** Combs with fewer teeth, and with less room between them, or none. */
function* fewerTeeth(o: Comb, unit: number): Generator<Comb> {
  const { stride, tooth } = o;
  for (const teeth of smaller(teethOf(o), 1, 1)) yield { ...o, len: teeth * stride };
  for (const wider of [2 * unit, unit]) {
    if (wider >= tooth) yield { ...o, stride: wider, len: teethOf(o) * wider };
  }
  if (tooth !== unit) yield { ...o, tooth: unit };
}

export const generation: Generation<Comb> = {
  share: { recordable: 0, all: 0, deep: 10 },
  generate: drawComb,
  rank: ({ call, backwards }) => (call === "pwrite" ? 8 : 9) + (backwards === true ? 1 : 0),
  *simpler(o, space) {
    const { backwards, call, len } = o;
    const { op: _, backwards: __, tooth: ___, stride: ____, ...range } = o;
    if (call === "pwrite") {
      if (len <= MAX_IO_BYTES) yield { ...range, op: "pwrite", readable: len };
    } else yield { ...range, op: "fallocate", mode: call };
    if (backwards === true) {
      const { backwards: _backwards, ...forwards } = o;
      yield forwards;
    }
    if (call === "keep_size" || call === "zero_range") yield { ...o, call: "allocate" };
    if (call === "zero_range_keep_size") yield { ...o, call: "keep_size" };
    yield* fewerTeeth(o, space.blockSize);
    yield* simplerRange(o, space);
  },
  points: endsOf,
  move: moveRange,
  numbers: ({ tooth, stride }) => [tooth, stride],
};
