import { expect, test } from "vitest";
import { variants } from "../../images/variants.ts";
import { settings } from "../../properties/settings.ts";
import type { Observation } from "../observation.ts";
import type { Operation } from "../operation.ts";
import { modelWith } from "./deviations.ts";
import { runCase } from "./lockstep.ts";
import { ReplaySubject } from "./replay-subject.ts";

const { config } = settings.find(({ name }) => name === "4k-delalloc on 6.18")!;
const options = { variant: variants[0]!.name, blockSize: 4096 };
const operations: Operation[] = [
  { op: "pwrite", pos: 0, len: 4096, readable: 4096 },
  { op: "fsync" },
];

/** What the model shows after each operation, changed by `change`. */
function recorded(change: (seen: Observation, step: number) => Observation): ReplaySubject {
  const model = modelWith(config, []);
  return new ReplaySubject(operations.map((o, i) => change(model.step(o, i), i)));
}

test("stops at the first operation after which the two differ", () => {
  const subject = recorded((seen, step) => (step === 0 ? seen : { ...seen, i_size: 1 }));
  const { steps, divergence } = runCase(modelWith(config, []), subject, operations, options);
  expect(steps).toBe(2);
  expect(divergence).toMatchObject({ step: 1, kind: "i_size", operations });
});

test("a tree that grew stays: what counts is the most extents that the file ever had", () => {
  const grown = recorded((seen, step) => ({
    ...seen,
    pieces: step === 0 ? 400 : 1,
    st_blocks: seen.st_blocks + 8 * 5,
  }));
  expect(runCase(modelWith(config, []), grown, operations, options).divergence).toBeUndefined();
  const never = recorded((seen) => ({ ...seen, pieces: 1, st_blocks: seen.st_blocks + 8 * 5 }));
  const { divergence } = runCase(modelWith(config, []), never, operations, options);
  expect(divergence).toMatchObject({ step: 0, kind: "st_blocks" });
});
