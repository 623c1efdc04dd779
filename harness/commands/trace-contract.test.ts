import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { knownDeviations } from "../../model/deviations/index.ts";
import type { Deviation } from "../../model/deviations/index.ts";
import type { Operation } from "../operations/operation.ts";
import { readCounterexample } from "../stored/counterexample.ts";
import { traceContract } from "./trace-contract.ts";
import { DEFAULT_LIMITS } from "../trace/limits.ts";
import { headerV3, stepsOf, traceLines } from "../trace/samples.ts";
import { unwrapped } from "../host/built-command.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "conform-contract-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const header = headerV3("4k-delalloc", "series v2");
const asPosted = knownDeviations.filter(({ id }) => id === "delayed-blocks-not-new");

const failing: Operation = { op: "pwrite", pos: 0, len: 8192, readable: 0 };
const whole: Operation = { op: "pwrite", pos: 4096, len: 4096, readable: 4096 };

/** A recording of a kernel with these deviations. */
function file(name: string, cases: Operation[][], deviations: readonly Deviation[]): string {
  const path = join(folder, name);
  const steps = cases.map((operations) => stepsOf(header, operations, deviations));
  writeFileSync(
    path,
    traceLines(header, steps)
      .map((line) => `${line}\n`)
      .join(""),
  );
  return path;
}

/** Exit status, and what was printed. */
async function run(...files: string[]) {
  let out = "";
  let err = "";
  const spies = [
    vi.spyOn(process.stdout, "write").mockImplementation((text) => ((out += String(text)), true)),
    vi.spyOn(process.stderr, "write").mockImplementation((text) => ((err += String(text)), true)),
  ];
  try {
    const status = await traceContract(files, DEFAULT_LIMITS);
    return { status, out, err };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

describe("trace check --contract", () => {
  test("0 where every promise is kept, with the number of steps", async () => {
    const { status, out } = await run(file("kept", [[failing, whole], [whole]], []));
    expect(status).toBe(0);
    expect(unwrapped(out)).toContain("every promise; 2 cases, 3 of 3 steps checked");
    expect(out).toContain("KEEPS: every promise in 1 file");
  });

  test("1 where one is broken: which, in how many cases, and the shortest sequence", async () => {
    const broken = file("broken", [[whole, failing], [failing], [whole]], asPosted);
    const { status, out } = await run(broken, file("kept-too", [[whole]], []));
    expect(status).toBe(1);
    expect(out).toContain("released-after-short-write, in 2 cases");
    expect(out).toContain("shortest in this recording: pwrite(pos=0, len=8192, readable=0)\n");
    expect(out).toContain("then blocks 0-1 are delayed since the write");
    expect(out).toContain("(case 1)");
    expect(out).toContain("BREAKS: 1 of 2 files");
  });

  test("what is saved is a case that replay reads", async () => {
    const folderOfCases = join(folder, "cases");
    const out: string[] = [];
    const spy = vi
      .spyOn(process.stdout, "write")
      .mockImplementation((text) => out.push(String(text)) > 0);
    await traceContract([file("saved", [[failing]], asPosted)], DEFAULT_LIMITS, folderOfCases);
    spy.mockRestore();
    const path = join(folderOfCases, "released-after-short-write.json");
    expect(out.join("")).toMatch(/replay \S*cases\/released-after-short-write\.json\n/);
    expect(readCounterexample(path).operations).toEqual([failing]);
  });

  test("64 where a file cannot be read, or holds nothing to check", async () => {
    const { status, out, err } = await run(join(folder, "none"), file("empty", [], []));
    expect(status).toBe(64);
    expect(unwrapped(err)).toContain("cannot be read: there is no such file or directory");
    expect(err).toContain("nothing was checked");
    expect(out).toContain("NOT CHECKED: 2 of 2 files");
  });
});
