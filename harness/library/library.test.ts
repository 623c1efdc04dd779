/**
 * What the examples of docs/library.md do not show of the modules.
 */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { recordingsFolder } from "../../properties/recordings.ts";
import { deviations, Model, variants } from "./model.ts";
import { operationFault } from "./operation-fault.ts";
import { operationNames, operations, parseOperations } from "./operations.ts";
import { run } from "./run.ts";
import { checkTrace, readTrace, writeTrace } from "./trace.ts";
import type { TraceHeaderV3 } from "./trace.ts";

describe("a model", () => {
  const write = { op: "pwrite", pos: 0, len: 4096, readable: 4096 } as const;

  test("is of every variant that is listed, and of no other", () => {
    for (const { name } of variants) expect(new Model(name).look().i_size).toBe(0);
    expect(() => new Model("5k")).toThrow(/there is no variant "5k"/);
    expect(() => new Model("4k-full")).toThrow(/take another variant/);
    expect(deviations.length).toBeGreaterThan(10);
  });

  test.each([
    [{ op: "pwrite", pos: -1, len: 1, readable: 1 }, "pos: -1 is less than 0"],
    [{ op: "pwrite", pos: 0, len: 1 }, "readable: is missing"],
    [{ op: "pwrite", pos: 0, len: 1, readable: 2 }, "readable: readable exceeds len"],
    [{ op: "pwrite", pos: "0", len: 1, readable: 1 }, 'pos: "0" is no whole number'],
    [
      { op: "fallocate", mode: "x", pos: 0, len: 1 },
      /^no operation: mode: "x" is none of allocate, /,
    ],
    [{ op: "fsync", length: 1 }, "length: there is no such field"],
    [{ op: "other" }, 'op: there is no operation "other"'],
    [null, "null is no object"],
  ])("says which field of %j is wrong", (wrong, says) => {
    const step = () => new Model().step(wrong as never);
    expect(step).toThrow(typeof says === "string" ? `no operation: ${says}` : says);
    expect(step).toThrow(expect.objectContaining({ name: "UsageError" }));
  });

  test("refuses what parseOperations refuses, and nothing else", () => {
    const values = fc.constantFrom(-1, 0, 1, 512, 2 ** 45, 0.5, true, "data", "all", null, [], [1]);
    const drawn = fc.tuple(operations({ powerCuts: 500, twoFiles: true }), fc.nat(), values);
    const changed = drawn.map(([list, which, value]) =>
      list.map((one, i) => {
        const keys = [...Object.keys(one), "starved", "fail_nth", "file", "sync"];
        return { ...one, [keys[(which + i) % keys.length]!]: value };
      }),
    );
    let refused = 0;
    const isParsed = (one: unknown): boolean => {
      try {
        return parseOperations([one]).length === 1;
      } catch {
        refused += 1;
        return false;
      }
    };
    const all = fc.sample(changed, { numRuns: 500, seed: 1 }).flat();
    const told = all.filter((one) => (operationFault(one) === undefined) !== isParsed(one));
    expect(told).toEqual([]);
    expect(refused).toBeGreaterThan(1000);
    expect(refused).toBeLessThan(all.length - 100);
  });

  test("begins anew as if nothing had been", () => {
    const model = new Model();
    const first = [model.step(write), model.step({ op: "fsync" })];
    model.begin();
    expect(model.look()).toEqual(new Model().look());
    expect([model.step(write), model.step({ op: "fsync" })]).toEqual(first);
  });

  test("says what is inside, and what a power cut leaves", () => {
    const model = new Model();
    model.step(write);
    expect(model.look()).toMatchObject({
      i_size: 4096,
      i_disksize: 0,
      status: [{ lblk: 0, len: 1, state: "delayed" }, { state: "hole" }],
      cached: [{ block: 0, uptodate: true, dirty: true }],
    });
    model.step({ op: "fsync" });
    expect(model.step({ op: "power_cut" }).cut?.file?.i_size).toBe(4096);
  });
});

const sample = (options: Parameters<typeof operations>[0]) =>
  fc.sample(operations(options), { numRuns: 2000, seed: 1 });

describe("operations", () => {
  test("are of all kinds, or of those that are asked for", () => {
    const named = (cases: ReturnType<typeof sample>): string[] =>
      [...new Set(cases.flat().map(({ op }) => op))].toSorted();
    expect(named(sample({ powerCuts: 500, deepTrees: 100 }))).toEqual(operationNames.toSorted());
    expect(named(sample({ only: ["pwrite", "fsync"] }))).toEqual(["fsync", "pwrite"]);
  });

  test("shrink, also where only some are asked for", () => {
    const cases = operations({ only: ["pwrite"], maxLength: 50 });
    const { counterexample } = fc.check(
      fc.property(cases, (drawn) => drawn.every((one) => !("len" in one) || one.len < 5000)),
      { seed: 1 },
    );
    expect(counterexample?.[0]).toHaveLength(1);
  });

  test("that are none are refused in a line", () => {
    const wrong = [{ op: "pwrite", pos: 0, len: 4096, readable: 8192 }];
    expect(() => parseOperations(wrong)).toThrow(/^no operations: 0?.*readable/);
    expect(() => parseOperations("fsync")).toThrow(/^no operations: /);
    expect(parseOperations([{ op: "fsync" }])).toEqual([{ op: "fsync" }]);
  });
});

describe("a recording", () => {
  const folder = mkdtempSync(join(tmpdir(), "conform-library-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const recorded = join(recordingsFolder, "everything", "buffer_head-6.18.4k-delalloc.jsonl.br");

  test("is checked with the deviations that are allowed", async () => {
    const needed = await checkTrace(recorded);
    expect(needed).toMatchObject({ diverging: 0 });
    const ids = Object.keys(needed.deviations);
    expect(await checkTrace(recorded, { deviations: ids })).toEqual(needed);
    const strict = await checkTrace(recorded, { deviations: "none" });
    expect(strict.diverging).toBeGreaterThan(0);
    expect(strict.first?.report).toMatch(/^FAIL {2}model and kernel disagree/m);
    await expect(checkTrace(recorded, { deviations: ["none"] })).rejects.toThrow(/no deviation/);
  });

  test("is read and written without loss, and never over another", async () => {
    const { header, cases } = await readTrace(recorded);
    const copy = join(folder, "copy.jsonl.gz");
    await writeTrace(copy, header as TraceHeaderV3, cases);
    const strict = { deviations: "none" } as const;
    const { first: _, ...checked } = await checkTrace(copy, strict);
    const { first: __, ...original } = await checkTrace(recorded, strict);
    expect(checked).toEqual(original);
    const again = writeTrace(copy, header as TraceHeaderV3, []);
    await expect(again).rejects.toThrow(/is there already/);
    const failing = writeTrace(join(folder, "none.jsonl"), header as TraceHeaderV3, [
      { operations: [], observations: [{} as never] },
    ]);
    await expect(failing).rejects.toThrow(/i_size/);
    expect(readdirSync(folder)).toEqual(["copy.jsonl.gz"]);
  });
});

test.each([
  [{ variant: ["4k-small"] }, /variant/],
  [{ cases: 0 }, /cases/],
  [{ variants: "4k-small" }, /variants/],
])("a run of %j is refused before it begins", async (options, named) => {
  await expect(run(options as never)).rejects.toThrow(named);
  await expect(run(options as never)).rejects.toMatchObject({ name: "UsageError" });
});
