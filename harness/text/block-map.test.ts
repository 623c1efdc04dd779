import * as fc from "fast-check";
import { expect, test } from "vitest";
import { blockRange, firstDifference, pictureOf, segmentsOf } from "./block-map.ts";
import type { Extent, ExtentState } from "../case/observation.ts";

const state = fc.constantFrom<ExtentState | "hole">("hole", "delayed", "unwritten", "written");
const blocks = fc.array(state, { maxLength: 12 });

/** The map of a file whose blocks have these states. */
function mapOf(states: readonly (ExtentState | "hole")[]): Extent[] {
  const map: Extent[] = [];
  for (const [lblk, state] of states.entries()) {
    const last = map.at(-1);
    if (state === "hole") continue;
    if (last?.state === state && last.lblk + last.len === lblk) last.len++;
    else map.push({ lblk, len: 1, state });
  }
  return map;
}

test("segments hold every block once, in the state that both maps say", () => {
  fc.assert(
    fc.property(blocks, blocks, (a, b) => {
      const flat = segmentsOf(mapOf(a), mapOf(b)).flatMap(({ lblk, len, expected, seen }) =>
        Array.from({ length: len }, (_, i) => [lblk + i, expected, seen]),
      );
      const all = flat.map((_, i) => [i, a[i] ?? "hole", b[i] ?? "hole"]);
      expect(flat).toEqual(all);
      const differs = all.find(([, expected, seen]) => expected !== seen);
      expect(firstDifference(mapOf(a), mapOf(b))?.lblk).toBe(differs?.[0]);
    }),
    { seed: 1, numRuns: 1000 },
  );
});

test("ranges are named as a person would", () => {
  expect(blockRange(3, 1)).toBe("block 3");
  expect(blockRange(3, 2)).toBe("blocks 3-4");
});

test("a picture is never wider than asked for, and its rows are equally long", () => {
  const lblk = fc.oneof(fc.nat(40), fc.nat(2 ** 32 - 100));
  const edge = fc.record({ lblk, len: fc.integer({ min: 1, max: 90 }), state });
  const maps = fc.array(edge, { maxLength: 30 }).map((list) => {
    let next = 0;
    const map: Extent[] = [];
    for (const e of list.toSorted((a, b) => a.lblk - b.lblk)) {
      if (e.state === "hole" || e.lblk < next) continue;
      next = e.lblk + e.len;
      map.push({ ...e, state: e.state });
    }
    return map;
  });
  const eof = fc.integer({ min: -1, max: 2 ** 32 });
  fc.assert(
    fc.property(maps, maps, eof, eof, (expected, seen, eofExpected, eofSeen) => {
      const touched = [{ lblk: 5, len: 2 ** 32, mark: "=" }];
      const of = { expected, seen, eofExpected, eofSeen, touched, width: 87 };
      const { bands } = pictureOf(of);
      expect(bands.length).toBeLessThanOrEqual(3);
      for (const band of bands) {
        expect(band.ruler.length).toBeLessThanOrEqual(87);
        expect(band.expected.length).toBeLessThanOrEqual(87);
        expect(band.seen.length).toBe(band.expected.length);
      }
      const differs = firstDifference(expected, seen) !== undefined;
      expect(bands.some((band) => band.carets.includes("^"))).toBe(differs);
    }),
    { seed: 1, numRuns: 1000 },
  );
});
