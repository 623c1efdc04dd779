/**
 * What only a pause can show: on the path of the patch a mapping of many blocks is kept while the
 * writer copies, so it must be checked for every folio whether the mapping still holds
 * (iomap_valid(), the extent status sequence counter).
 */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { modelWith } from "../harness/lockstep/deviations.ts";
import { runCase } from "../harness/lockstep/lockstep.ts";
import { ModelSubject } from "../harness/lockstep/model-subject.ts";
import type { Operation } from "../harness/operations/operation.ts";
import type { ModelConfig, Override } from "../model/tables.ts";
import { variantNamed } from "../harness/under-test/variants.ts";
import { operations } from "../harness/generation/operations.ts";
import { withoutPages } from "./page-cache.ts";
import { settingOf } from "./settings.ts";

/** Every mapping counts as valid, however old. */
const neverStale: Override = () => ({ iomap_valid: () => true });

/**
 * The writer has mapped a block that is dirty; before it has its folio, the block is written back
 * and leaves the cache.
 */
const dropped = (blockSize: number): Operation[] => [
  { op: "pwrite", pos: 0, len: blockSize, readable: blockSize },
  {
    op: "paused_write",
    pos: 0,
    len: 512,
    pause_at: 0,
    during: [{ op: "drop_cache" }],
    after: "continue",
  },
];

/** What tells the ideal model from one that believes its mappings. */
function differs(config: ModelConfig, list: readonly Operation[]): string | undefined {
  const buggy = new ModelSubject(config, [neverStale]);
  const options = { variant: "4k-delalloc", blockSize: config.blockSize };
  const all: Operation[] = [...list, { op: "pread", pos: 0, len: 2 ** 20 }];
  return runCase(modelWith(config, []), withoutPages(buggy), all, options).divergence?.kind;
}

describe.each(["4k-delalloc", "4k-nodelalloc", "1k-delalloc"])("%s", (name) => {
  const variant = variantNamed(name);
  const { config } = settingOf(variant, "series v2");

  test("a mapping that is not checked loses the rest of a block that the write covers in part", () => {
    expect(differs(config, dropped(config.blockSize))).toBe("read");
  });

  test("no case without a pause shows it", () => {
    fc.assert(
      fc.property(operations({ variant, maxLength: 40 }), (list) => {
        expect(differs(config, list)).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });

  test("generated cases with pauses do, and shrink to just that", () => {
    for (const seed of [1, 2, 3]) {
      const found = fc.check(
        fc.property(
          operations({ variant, maxLength: 40, everything: true }),
          (list) => differs(config, list) === undefined,
        ),
        { seed, numRuns: 20_000 },
      );
      expect(found.counterexample?.[0]).toEqual(dropped(config.blockSize));
    }
  });
});
