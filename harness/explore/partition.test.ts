/**
 * Folding a machine: what is made one cannot be told apart, what is not can be.
 */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { testSeed } from "../../properties/seed.ts";
import { coarsestPartition } from "./partition.ts";

const LETTERS = 3;

/**
 * A machine: how each state looks, and where each of three letters leads from it; some states are
 * not known any further.
 */
const machine = fc.integer({ min: 1, max: 7 }).chain((states) =>
  fc.integer({ min: 0, max: states }).chain((known) =>
    fc.record({
      states: fc.constant(states),
      looks: fc.array(fc.nat(2), { minLength: known, maxLength: known }),
      targets: fc.array(
        fc.array(fc.integer({ min: -1, max: states - 1 }), {
          minLength: LETTERS,
          maxLength: LETTERS,
        }),
        { minLength: known, maxLength: known },
      ),
    }),
  ),
);

type Machine = typeof machine extends fc.Arbitrary<infer T> ? T : never;

/** Whether some sequence of at most `length` letters shows the two states to be different. */
function toldApart(one: Machine, a: number, b: number, length: number): boolean {
  if (a === b) return false;
  if (a < 0 || b < 0) return true;
  const [lookA, lookB] = [one.looks[a], one.looks[b]];
  if (lookA === undefined || lookB === undefined || lookA !== lookB) return true;
  if (length === 0) return false;
  return one.targets[a]!.some((target, by) =>
    toldApart(one, target, one.targets[b]![by]!, length - 1),
  );
}

describe("a partition", () => {
  test("has in one class what no sequence tells apart, and nothing else", () => {
    fc.assert(
      fc.property(machine, (one) => {
        const { looks, targets, states } = one;
        const rows = targets.map((row) => Int32Array.from(row));
        const classes = coarsestPartition(looks, rows, states);
        const pairs = Array.from({ length: states ** 2 }, (_, i) => {
          return [Math.floor(i / states), i % states] as const;
        });
        const apart = pairs.filter(([a, b]) => classes[a] !== classes[b]);
        // Where anything tells two of so many states apart, a sequence as long as this does.
        expect(apart).toEqual(pairs.filter(([a, b]) => toldApart(one, a, b, states - 1)));
      }),
      { seed: testSeed, numRuns: 300 },
    );
    expect.hasAssertions();
  });

  test("numbers its classes in the order of their first members", () => {
    const rows = [[1], [2], [3], [0]].map((row) => Int32Array.from(row));
    expect([...coarsestPartition([0, 1, 0, 1], rows, 4)]).toEqual([0, 1, 0, 1]);
    expect([...coarsestPartition([0, 1, 0, 2], rows, 4)]).toEqual([0, 1, 2, 3]);
  });

  test("leaves alone what is not known any further", () => {
    const rows = [Int32Array.of(1), Int32Array.of(2)];
    expect([...coarsestPartition([0, 0], rows, 4)]).toEqual([0, 1, 2, 3]);
  });
});
