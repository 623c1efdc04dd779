import { expect, test } from "vitest";
import { parseCounterexample } from "../stored/counterexample.ts";
import { operationsSchema } from "./operation.ts";
import { withFiles, withFilesAndStep } from "./without-files.ts";

const change = { op: "other_file" };
const write = { op: "pwrite", pos: 0, len: 1, readable: 1 };
const sync = { op: "fsync" };

test("a case of before operations had files is about the same files", () => {
  expect(operationsSchema.parse([write, change, write, sync, change, sync])).toEqual([
    write,
    { ...write, file: 1 },
    { ...sync, file: 1 },
    sync,
  ]);
});

test("a case of today is as it is, and so is what is none", () => {
  const today = [write, { ...write, file: 1 }];
  expect(withFiles(today)).toBe(today);
  for (const none of [undefined, null, 1, "x", {}, [null, change, 1]]) {
    expect(() => withFiles(none)).not.toThrow();
    expect(() => withFilesAndStep({ operations: none, step: 1 })).not.toThrow();
  }
});

test.each([
  [0, 0],
  [1, 0],
  [2, 1],
  [4, 2],
  [5, 3],
])("step %i of it is step %i today", (before, today) => {
  const operations = [write, change, write, change, sync, sync];
  expect(withFilesAndStep({ operations, step: before })).toMatchObject({ step: today });
});

test("a stored counterexample is read with its step", () => {
  const text = JSON.stringify({
    format: "ext4-conform counterexample",
    version: 1,
    variant: "4k-delalloc",
    divergence: { step: 2, kind: "map", message: "it was" },
    operations: [write, change, sync],
  });
  const { operations, divergence } = parseCounterexample(text, "x.json");
  expect([operations, divergence?.step]).toEqual([[write, { ...sync, file: 1 }], 1]);
});
