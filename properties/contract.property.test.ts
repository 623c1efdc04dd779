/**
 * The contract against the model: the ideal model keeps every promise, and with a known deviation
 * it does not. The contract knows nothing of the model, and the model nothing of the contract, so
 * each vouches for the other.
 */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Contract } from "../harness/contract/contract.ts";
import type { Broken, ContractOptions } from "../harness/contract/contract.ts";
import { witnessOf } from "../harness/lockstep/deviations.ts";
import { Windows } from "../harness/lockstep/windows.ts";
import { ModelSubject } from "../harness/lockstep/model-subject.ts";
import { clampOperation } from "../harness/operations/operation.ts";
import type { Operation } from "../harness/operations/operation.ts";
import { deviationsOfSteps } from "../model/deviations/index.ts";
import type { Deviation } from "../model/deviations/index.ts";
import type { Variant } from "../harness/case/variant.ts";
import type { ModelConfig, Override } from "../model/tables.ts";
import { DELAYED, UNWRITTEN } from "../model/include/types.ts";
import { operations } from "../harness/generation/operations.ts";
import {
  cases,
  casesToBreak,
  casesToFind,
  operationsToShow,
  settingFor,
  settings,
} from "./settings.ts";

/** Extents that the looks are told of: so many that they look at a few blocks only. */
const MANY_EXTENTS = 4096;

/**
 * What a case on the model breaks; `windows`: with looks at what operations touched, mostly, and
 * not at the whole file.
 */
function brokenBy(
  config: ModelConfig & Pick<ContractOptions, "mayFillUp">,
  list: readonly Operation[],
  overrides: readonly Override[] = [],
  windows = false,
): Broken[] {
  const model = new ModelSubject(config, overrides);
  const contract = new Contract(config);
  const looks = new Windows(config.blockSize);
  looks.alwaysWhole = !windows;
  looks.saw(MANY_EXTENTS, true);
  contract.begin();
  const broken: Broken[] = [];
  for (const [i, operation] of list.entries()) {
    const before = model.inode.i_size;
    model.apply(operation, i);
    const done = clampOperation(operation, before);
    const where = looks.after(done, before, model.inode.i_size, i === list.length - 1);
    broken.push(...contract.check(operation, i, model.observe(where)));
  }
  return broken;
}

const ids = (broken: readonly Broken[]): string[] => [...new Set(broken.map((b) => b.promise))];

describe("the ideal model", () => {
  test.each(settings)("$name: keeps every promise", ({ variant, config }) => {
    fc.assert(
      fc.property(cases(variant), fc.boolean(), (list, windows) => {
        expect(brokenBy(config, list, [], windows)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test.each(settings)("$name: keeps every promise where room runs out", ({ variant, config }) => {
    const freeBlocks = fc.integer({ min: 1, max: 64 });
    fc.assert(
      fc.property(cases(variant), freeBlocks, (list, free) => {
        expect(brokenBy({ ...config, freeBlocks: free, mayFillUp: true }, list)).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});

/**
 * Those that break a promise: that refused data stays away is none, where a part of it may have
 * been taken.
 */
const breaking = deviationsOfSteps.filter(({ breaks }) => breaks.length > 0);

/**
 * Whether it takes more than chance to come by: a direct read of just the block that has its
 * reservation left, of a full file system; what becomes of a store during a write that then fails;
 * of bytes that should be zeros; of the end of the largest file.
 */
function takesWitness(id: string, promise: string): boolean {
  if (id === "release-takes-block-of-eof") return promise !== "data-has-blocks";
  if (id === "zero-range-keeps-bytes" || id === "last-folio-is-not-read") return true;
  return id === "failed-zeroing-keeps-reservation" && promise.startsWith("read-");
}

/** Its end is at the end of the largest file, which few cases of two files have. */
const copyOfLastByte: Operation = {
  op: "copy_range",
  pos: 4398046508032,
  to: 1,
  to_pos: 0,
  len: 1,
};

/** What a case begins with where chance alone does not come by a broken promise. */
function begunWith(deviation: Deviation, promise: string): Operation[] {
  if (!takesWitness(deviation.id, promise)) return [];
  const isOfCopies = promise === "write-returns-what-it-copied";
  return [...witnessOf(deviation), ...(isOfCopies ? [copyOfLastByte] : [])];
}

/**
 * Cases to find a deviation by, of one seed. None is deep: of 60,000 cases one shows
 * release-takes-block-of-eof, and with deep cases among them that one is drawn as such.
 */
const casesToFindBy = (variant: Variant, cutPerMille?: number): fc.Arbitrary<Operation[]> =>
  operations({ variant, maxLength: 40, everything: true, cutPerMille, deepPerMille: 0 });

describe("a model with a known deviation", () => {
  describe.each(breaking)("$id", (deviation) => {
    const { override, breaks, witness } = deviation;
    const setting = settingFor(witness);
    const { variant } = setting;
    const config = { ...setting.config, mayFillUp: witness.freeBlocks !== undefined };
    const numRuns = casesToFind(deviation);

    test.each(breaks)("breaks %s, and two operations or its witness show it", (promise) => {
      const atCut = promise.startsWith("synced-");
      const cutPerMille = atCut ? 500 : 0;
      const begun = begunWith(deviation, promise);
      const generated = casesToFindBy(variant, cutPerMille).map((list) => [...begun, ...list]);
      const found = fc.check(
        fc.property(generated, (list) => {
          expect(ids(brokenBy(config, list, [override]))).not.toContain(promise);
        }),
        { seed: 1, numRuns: atCut ? 10 * numRuns : casesToBreak(deviation, promise) },
      );
      expect(found.failed).toBe(true);
      // With the fsync that broke its word, what was done then, and the power cut that shows it;
      // with what brings the block before EOF, and the read.
      const later = atCut || promise.startsWith("read-") || begun.length > 0;
      const more = promise === "synced-bytes-survive" ? 3 : 2;
      const most = later ? witnessOf(deviation).length + more : operationsToShow(deviation);
      expect(found.counterexample![0].length).toBeLessThanOrEqual(most);
    });

    test("breaks no other promise", () => {
      fc.assert(
        fc.property(cases(variant), (generated) => {
          const begun = breaks.some((promise) => takesWitness(deviation.id, promise))
            ? witnessOf(deviation)
            : [];
          const others = ids(brokenBy(config, [...begun, ...generated], [override]));
          expect(others.filter((id) => !breaks.includes(id))).toEqual([]);
        }),
        { numRuns: 300 },
      );
    });

    test("is found by looks at a few blocks too", () => {
      const rare = breaks.every((promise) => takesWitness(deviation.id, promise));
      const begun = rare ? witnessOf(deviation) : [];
      const found = fc.check(
        fc.property(
          casesToFindBy(variant),
          (list) => brokenBy(config, [...begun, ...list], [override], true).length === 0,
        ),
        { seed: 1, numRuns },
      );
      expect(found.failed).toBe(true);
    });
  });
});

/** Ways to break the model that no kernel is known to show, and the promise that says so. */
const faults: { promise: string; name: string; override: Override }[] = [
  {
    promise: "reserved-is-delayed",
    name: "a reservation that an allocation does not use up",
    override: () => ({ ext4_da_update_reserve_space: () => {} }),
  },
  {
    promise: "nothing-delayed-after-sync",
    name: "writeback that stops after one page",
    override: (base) => ({
      writepages: (inode, start, end) => base.writepages(inode, start, Math.min(end, start)),
    }),
  },
  {
    promise: "data-has-blocks",
    name: "writeback that forgets to convert what it wrote",
    override: () => ({
      mpage_map_one_extent(inode, map) {
        const end = map.m_lblk + map.m_len;
        for (let lblk = map.m_lblk; lblk < end; lblk++) {
          if (inode.i_extents.get(lblk) === undefined)
            inode.i_extents.set(lblk, lblk + 1, UNWRITTEN);
          inode.i_es_tree.set(lblk, lblk + 1, UNWRITTEN);
        }
        return 0;
      },
    }),
  },
  {
    promise: "truncated-is-gone",
    name: "a truncation that frees nothing",
    override: () => ({ ext4_ext_remove_space: () => {} }),
  },
  {
    promise: "delayed-by-writing",
    name: "a reservation for the block behind a write too",
    override: (base) => ({
      ext4_es_insert_delayed_extent(inode, lblk, len) {
        base.ext4_es_insert_delayed_extent(inode, lblk, len);
        if (inode.i_extents.get(lblk + len) === undefined) {
          inode.i_es_tree.set(lblk + len, lblk + len + 1, DELAYED);
        }
      },
    }),
  },
  {
    promise: "read-returns-what-was-written",
    name: "a block that is zeroed too far",
    override: (base) => ({
      ext4_block_zero_range(inode, from, length) {
        inode.contents.delete(from - 512, from);
        return base.ext4_block_zero_range(inode, from, length);
      },
    }),
  },
];

describe("a broken model", () => {
  const { variant, config } = settings.find(({ name }) => name === "4k-delalloc on 6.18")!;

  test.each(faults)("$name: breaks $promise", ({ promise, override }) => {
    const found = fc.check(
      fc.property(cases(variant), (list) => {
        expect(ids(brokenBy(config, list, [override]))).not.toContain(promise);
      }),
      { seed: 1, numRuns: 1000 },
    );
    expect(found.failed).toBe(true);
    expect(found.counterexample![0].length).toBeLessThanOrEqual(4);
  });
});
