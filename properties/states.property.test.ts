/**
 * That two ways which lead to one state (model/state.ts) go on alike: else an exploration would
 * leave something out.
 */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { alphabetOf } from "../harness/explore/alphabet.ts";
import { Graph, NOT_TRIED } from "../harness/explore/graph.ts";
import { modelWith } from "../harness/lockstep/deviations.ts";
import type { ModelSubject } from "../harness/lockstep/model-subject.ts";
import type { Operation } from "../harness/operations/operation.ts";
import { variantNamed } from "../harness/under-test/variants.ts";
import { knownDeviations, watchedDeviations } from "../model/deviations/index.ts";
import { testSeed } from "./seed.ts";
import { settingOf } from "./settings.ts";

/** What is seen, but for which bytes a read returned. */
function look(model: ModelSubject, operation: Operation, index: number) {
  const { read, ...seen } = model.step(operation, index);
  return { ...seen, read: read?.length };
}

describe.each([
  ["4k-delalloc", "6.18", true],
  ["1k-delalloc", "6.18", true],
  ["4k-nodelalloc", "7.3", false],
  ["4k-delalloc", "7.3", true],
  ["4k-delalloc", "series v2", false],
] as const)("%s on %s, with deviations: %s", (name, kernel, deviates) => {
  const variant = variantNamed(name);
  const { config } = settingOf(variant, kernel);
  const atUnmount = knownDeviations.filter(({ visible }) => visible === "unmount");
  const deviations = deviates ? [...watchedDeviations(config.path), ...atUnmount] : [];
  const alphabet = alphabetOf("blocks", 2, variant.blockSize);
  const most = 2 * variant.blockSize;
  const overrides = deviations.map(({ override }) => override);
  const graph = new Graph({ config, overrides, alphabet, most, depth: 5 });
  graph.grow();

  /**
   * A model that went along a path, as the graph had it go: it was looked at after every operation.
   */
  function at(path: readonly number[]): ModelSubject {
    const model = modelWith(config, deviations);
    model.recordsDisk = false;
    model.begin();
    for (const [index, by] of path.entries()) model.step(alphabet[by]!, index);
    return model;
  }

  const steps = fc.array(fc.nat(alphabet.length - 1), { maxLength: 5 });

  test("whatever led to a state, what comes after it is the same", () => {
    let met = 0;
    fc.assert(
      fc.property(steps, steps, (way, more) => {
        const path: number[] = [];
        let state = 0;
        for (const by of way) {
          const target = graph.target(state, by);
          if (target === NOT_TRIED) continue;
          if (target < 0) break;
          state = target;
          path.push(by);
        }
        const shortest = graph.pathTo(state);
        const [walked, straight] = [at(path), at(shortest)];
        expect(graph.idOf(walked.inode)).toBe(state);
        if (path.join() !== shortest.join()) met += 1;
        for (const [index, by] of more.entries()) {
          const operation = alphabet[by]!;
          const [one, other] = [walked, straight].map((model) => look(model, operation, index));
          // What a guess has made uncertain is so on one of the two ways only.
          const known = one!.pages !== undefined && other!.pages !== undefined;
          expect(one).toEqual(known ? other : { ...other, pages: one!.pages });
        }
      }),
      { numRuns: 500, seed: testSeed },
    );
    expect(met).toBeGreaterThan(50);
  });
});
