/**
 * Damage that one case leaves and another trips over, on a real file system.
 */
import { closeSync, openSync, writeSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { operations as operationsArbitrary } from "../generation/operations.ts";
import type { EarlierCase } from "../finding/divergence.ts";
import type { MountedImage } from "../subjects/image.ts";
import type { KeptFile } from "../subjects/kernel-file.ts";
import { KernelSubject } from "../subjects/kernel-subject.ts";
import { machineLacks } from "../system/machine.ts";
import { probeKernel } from "../subjects/probe.ts";
import type { Observation } from "../case/observation.ts";
import type { Operation } from "../operations/operation.ts";
import { variantNamed } from "../under-test/variants.ts";
import { Confirmation } from "./confirm.ts";
import { leastSequence } from "./sequence.ts";
import { caseSource } from "./chunk.ts";
import { VariantRun } from "./variant-run.ts";

const lacks = machineLacks();
const variant = variantNamed("4k-delalloc");

const write = (len: number): Operation => ({ op: "pwrite", pos: 0, len, readable: len });
const read: Operation = { op: "pread", pos: 0, len: 4096 };
const harmless: EarlierCase = { operations: [write(4096), { op: "fsync" }, write(100)] };

/**
 * Where a range was collapsed, a case that comes after it on this file system reads something else
 * than was written.
 */
class LyingSubject extends KernelSubject {
  #damaged = false;
  #shows = false;

  override begin(operations: readonly Operation[] = []): void {
    this.#shows = this.#damaged;
    super.begin(operations);
  }

  override step(operation: Operation, index: number, last?: boolean): Observation {
    const seen = super.step(operation, index, last);
    this.#damaged ||= operation.op === "fallocate" && operation.mode === "collapse_range";
    if (!this.#shows || seen.read === undefined) return seen;
    return { ...seen, read: seen.read.map((byte) => byte ^ 1) };
  }
}

/** Where a range is collapsed, it writes to the file that a case left before. */
class OverwritingSubject extends KernelSubject {
  #left: string | undefined;

  override keep(): KeptFile {
    const kept = super.keep();
    this.#left ??= kept.path;
    return kept;
  }

  override step(operation: Operation, index: number, last?: boolean): Observation {
    if (operation.op === "fallocate" && operation.mode === "collapse_range") this.#overwrite();
    return super.step(operation, index, last);
  }

  #overwrite(): void {
    if (this.#left === undefined) return;
    const fd = openSync(this.#left, "r+");
    writeSync(fd, "not what the model says", 0);
    closeSync(fd);
  }
}

describe.skipIf(lacks !== undefined)(`cases in a row ${lacks?.message ?? ""}`, () => {
  test("a fresh image shows what a case shows after another one, and no case alone does", async () => {
    const traits = await probeKernel();
    const options = { traits, strict: false, executor: "ffi" } as const;
    const setup = { open: (image: MountedImage) => new LyingSubject(image) };
    const confirmation = new Confirmation(variant, options, setup);
    const collapses: Operation = { op: "fallocate", mode: "collapse_range", pos: 0, len: 4096 };
    const tripping = [write(8192), read, write(100)];
    const history: EarlierCase[] = [
      harmless,
      { operations: [...harmless.operations, { op: "fsync" }], kept: true },
      { operations: [write(12_288), collapses, write(4096)] },
      harmless,
      { operations: tripping },
    ];
    expect(await confirmation.run(tripping)).toBe(undefined);
    const least = await leastSequence(history, {
      attempt: (operations, before) => confirmation.run(operations, before),
      arbitrary: operationsArbitrary({ variant, maxLength: 5 }),
      limitMs: 60_000,
    });
    expect(least).toMatchObject({
      kind: "read",
      before: [{ operations: [{ op: "fallocate", mode: "collapse_range" }] }],
    });
    expect(least!.operations.map(({ op }) => op)).toEqual(["pwrite", "pread"]);
  });

  test("what a later case does to a file that an earlier one left is told of both", async () => {
    const options = { traits: await probeKernel(), strict: false, executor: "ffi" } as const;
    const setup = { open: (image: MountedImage) => new OverwritingSubject(image) };
    const confirmation = new Confirmation(variant, options, setup);
    const left: EarlierCase = { operations: [write(4096), { op: "fsync" }], kept: true };
    const overwrites: Operation = { op: "fallocate", mode: "collapse_range", pos: 0, len: 4096 };
    const history: EarlierCase[] = [
      harmless,
      left,
      harmless,
      { operations: [write(12_288), overwrites] },
      harmless,
    ];
    const least = await leastSequence(history, {
      attempt: (operations, before) => confirmation.run(operations, before),
      arbitrary: operationsArbitrary({ variant, maxLength: 5 }),
      limitMs: 60_000,
    });
    expect(least).toMatchObject({ kind: "contents", before: [{ kept: true }] });
    expect(least!.message).toMatch(/^in the file of case 1: /);
    expect(least!.before).toHaveLength(1);
    expect(least!.operations.map(({ op }) => op)).toContain("fallocate");
  });

  test("a run goes on, on a fresh image, with what it knows", async () => {
    const options = { traits: await probeKernel(), strict: false, executor: "ffi" } as const;
    const source = caseSource(variant, { seed: 1, maxLength: 5 });
    const run = await VariantRun.open(variant, options);
    try {
      expect(run.runChunk(source, { chunk: 0, end: 20 })).toBe(undefined);
      const { session } = run;
      const { cases } = run.counts;
      expect(session.waiting).toBeGreaterThan(0);
      await run.renew();
      expect(run.session.image).not.toBe(session.image);
      expect([run.session.waiting, run.history]).toEqual([0, []]);
      expect(run.session.mounted).toEqual(session.mounted);
      expect(run.session.deviations).toBe(session.deviations);
      expect(run.runChunk(source, { chunk: 0, from: 20, end: 40 })).toBe(undefined);
      expect(run.counts.cases).toBe(cases + 20);
      run.judgeByContract("a test");
      await run.renew();
      expect(run.session.model).toBe(undefined);
    } finally {
      run.close();
    }
  });

  test("a run knows its cases since the last checkpoint that found nothing", async () => {
    const options = { traits: await probeKernel(), strict: false, executor: "ffi" } as const;
    const source = caseSource(variant, { seed: 1, maxLength: 5 });
    const run = await VariantRun.open(variant, options);
    try {
      expect(run.runChunk(source, { chunk: 0, end: 20 })).toBe(undefined);
      const { history } = run;
      expect(history.flatMap(({ kept }, i) => (kept ? [i] : []))).toEqual([0, 8, 16]);
      expect(history).toHaveLength(20);
      expect(history[8]!.operations.at(-1)).toEqual({ op: "fsync" });
      expect(await run.checkpoint(false)).toEqual([]);
      expect(run.history).toEqual([]);
    } finally {
      run.close();
    }
  });
});
