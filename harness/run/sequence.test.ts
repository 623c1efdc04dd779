import { expect, test } from "vitest";
import { operations as operationsArbitrary } from "../generation/operations.ts";
import type { Divergence, DivergenceKind, EarlierCase } from "../finding/divergence.ts";
import type { Operation } from "../operations/operation.ts";
import { variantNamed } from "../under-test/variants.ts";
import { leastSequence } from "./sequence.ts";

const variant = variantNamed("4k-delalloc");
const arbitrary = operationsArbitrary({ variant, maxLength: 5 });

const write: Operation = { op: "pwrite", pos: 4096, len: 100, readable: 100 };
const fsync: Operation = { op: "fsync" };
const punch: Operation = { op: "fallocate", mode: "punch_hole", pos: 0, len: 4096 };
const harmless: EarlierCase = { operations: [write, fsync, write] };

const has = (operations: readonly Operation[], op: Operation["op"]): boolean =>
  operations.some((one) => one.op === op);

/**
 * A file system of which a hole damages what a later case writes and syncs. Tells how often it was
 * tried.
 */
function damaging(): {
  attempt: (
    operations: Operation[],
    before: readonly EarlierCase[],
  ) => Promise<Divergence | undefined>;
  tried: () => number;
} {
  let tried = 0;
  const attempt = (
    operations: Operation[],
    before: readonly EarlierCase[],
  ): Promise<Divergence | undefined> => {
    tried++;
    let damaged = false;
    for (const [i, one] of [...before, { operations }].entries()) {
      if (damaged && has(one.operations, "fsync")) {
        return Promise.resolve(shows("read", one.operations, before.slice(0, i)));
      }
      damaged ||= has(one.operations, "fallocate");
    }
    return Promise.resolve(undefined);
  };
  return { attempt, tried: () => tried };
}

function shows(
  kind: DivergenceKind,
  operations: Operation[],
  before: readonly EarlierCase[],
): Divergence {
  const step = operations.length - 1;
  return { variant: variant.name, step, operations, before: [...before], kind, message: kind };
}

test("what damages and what shows it are left of a hundred cases", async () => {
  const { attempt, tried } = damaging();
  const culprit: EarlierCase = { operations: [write, punch, write] };
  const history = [
    ...Array.from({ length: 40 }, () => harmless),
    culprit,
    ...Array.from({ length: 60 }, () => harmless),
  ];
  const least = await leastSequence(history, { attempt, arbitrary, limitMs: 60_000 });
  expect(least).toMatchObject({ kind: "read", operations: [{ op: "fsync" }] });
  expect(least!.before).toMatchObject([{ operations: [{ op: "fallocate" }] }]);
  expect(tried()).toBeLessThan(100);
});

/**
 * A hole shows foreign data when it is read; after the case, once another one syncs, the kernel
 * complains.
 */
const complaining = (
  operations: Operation[],
  before: readonly EarlierCase[],
): Promise<Divergence | undefined> => {
  const holes = before.findIndex((one) => has(one.operations, "fallocate"));
  const reads = has(operations, "fallocate") && has(operations, "pread");
  if (reads) return Promise.resolve(shows("read", operations, before));
  return Promise.resolve(
    holes < 0 ? undefined : shows("kernel-log", [fsync], before.slice(0, holes + 1)),
  );
};

test("where the kernel only complains, data that it shows is looked for", async () => {
  const history = [harmless, { operations: [write, punch, write] }, harmless];
  const least = await leastSequence(history, { attempt: complaining, arbitrary, limitMs: 60_000 });
  expect(least).toMatchObject({ kind: "read", before: [] });
  expect(least!.operations.map(({ op }) => op)).toEqual(["fallocate", "pread"]);
});

/** Every case with a hole shows it, whatever comes before. */
const byItself = (operations: Operation[]): Promise<Divergence | undefined> =>
  Promise.resolve(has(operations, "fallocate") ? shows("map", operations, []) : undefined);

const never = (): Promise<undefined> => Promise.resolve(undefined);

/** It takes three cases to lose data; else pages are counted wrong. */
const lessByFewer = (
  operations: Operation[],
  before: readonly EarlierCase[],
): Promise<Divergence | undefined> =>
  Promise.resolve(shows(before.length === 3 ? "read" : "pages", operations, before));

test.each([
  ["a case that shows it by itself needs no other", byItself, "map", 0],
  ["what does not show in a row is nothing", never, undefined, undefined],
  ["data that is lost does not become something less", lessByFewer, "read", 3],
] as const)("%s", async (_, attempt, kind, before) => {
  const history = [harmless, harmless, harmless, { operations: [write, punch] }];
  const least = await leastSequence(history, { attempt, arbitrary, limitMs: 60_000 });
  expect(least?.kind).toBe(kind);
  expect(least?.before?.length).toBe(before);
});

/** Whatever a file that is kept holds, it is not on disk. */
const losing = (
  operations: Operation[],
  before: readonly EarlierCase[],
): Promise<Divergence | undefined> => {
  const loses = before.some(({ kept }) => kept);
  return Promise.resolve(loses ? shows("contents", operations, before) : undefined);
};

test("a case whose file is kept stays synced", async () => {
  const history: EarlierCase[] = [{ kept: true, operations: [write, punch, fsync] }, harmless];
  const least = await leastSequence(history, { attempt: losing, arbitrary, limitMs: 60_000 });
  expect(least!.before).toEqual([{ kept: true, operations: [fsync] }]);
});
