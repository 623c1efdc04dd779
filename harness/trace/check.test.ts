import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { unwrapped } from "../host/built-command.ts";
import type { KernelName } from "../../model/kernels/kernels.ts";
import { variants } from "../../images/variants.ts";
import { knownDeviations } from "../../model/deviations/index.ts";
import type { Deviation } from "../../model/deviations/index.ts";
import { generatedCases } from "../run/chunk.ts";
import { UsageError } from "../case/failure.ts";
import { witnessOf } from "../lockstep/deviations.ts";
import type { Operation } from "../operations/operation.ts";
import { checkFile } from "./check.ts";
import type { Allowed, CheckOptions } from "./check.ts";
import { deviationsNamed, replayCommand, traceCheck } from "../commands/trace-check.ts";
import { configOf } from "./config.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { TraceModel } from "./followed.ts";
import { parseTrace } from "./read.ts";
import type { RecordedStep } from "../workers/messages.ts";
import { asLines, headerV1, headerV2, headerV3, stepsOf, traceLines } from "./samples.ts";

const header = headerV3();
const config = configOf(header);

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "conform-trace-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A file with these cases. */
function file(name: string, cases: readonly (readonly RecordedStep[])[]): string {
  return fileOf(name, traceLines(header, cases));
}

function fileOf(name: string, lines: readonly string[]): string {
  const path = join(folder, name);
  writeFileSync(path, lines.map((line) => `${line}\n`).join(""));
  return path;
}

function check(path: string, allowed: Allowed = "needed", more: Partial<CheckOptions> = {}) {
  return checkFile(path, { allowed, only: undefined, limits: DEFAULT_LIMITS, ...more });
}

const named = (id: string): Deviation => deviationsNamed(id)[0] as Deviation;
const short = named("short-write-keeps-reservation");
const moves = named("failed-write-moves-size");

/** What a kernel with these deviations does at the witness of `of`. */
const witnessed = (of: Deviation, ...deviations: Deviation[]): RecordedStep[] =>
  stepsOf(header, witnessOf(of), deviations);

const plain: Operation[] = [
  { op: "pwrite", pos: 0, len: 4096, readable: 4096 },
  { op: "fsync" },
  { op: "pread", pos: 0, len: 4096 },
];
const fine = stepsOf(header, plain);

/** The same with something else seen after one of its steps. */
const seeing = (index: number, change: object): RecordedStep[] =>
  fine.map((step, i) => (i === index ? { ...step, seen: { ...step.seen, ...change } } : step));

/** A step that no deviation explains. */
const wrong = seeing(1, { i_size: 4095 });

const ids = (list: readonly Deviation[]): string[] => list.map(({ id }) => id);

describe("which deviations are taken", () => {
  test("none where none is needed", async () => {
    const result = await check(file("fine", [fine, fine]));
    expect(result).toMatchObject({ cases: 2, steps: 6, compared: 6, diverging: 0 });
    expect(result.deviations).toEqual([]);
  });

  test("those that are needed, and the cases before them are checked with them too", async () => {
    // The first case agrees without any deviation, and diverges with the one that the second needs.
    const first = witnessed(moves);
    const path = file("changes", [first, witnessed(moves, moves)]);
    const result = await check(path);
    expect(ids(result.deviations)).toEqual([moves.id]);
    expect(result.diverging).toBe(1);
    expect(result.first?.number).toBe(0);
  });

  test("as few as a case needs, case after case, with their parts counted", async () => {
    const cases = [fine, witnessed(short, short), witnessed(moves, short, moves), fine];
    const result = await check(file("both", cases));
    expect(result.diverging).toBe(0);
    expect(result.compared).toBe(result.steps);
    expect(ids(result.deviations)).toEqual([short.id, moves.id]);
    expect([...result.parts]).toEqual([
      [short.id, 2],
      [moves.id, 1],
    ]);
  });

  test("none with strict, and exactly those that are named", async () => {
    const path = file("one", [witnessed(short, short)]);
    expect((await check(path, "none")).diverging).toBe(1);
    expect((await check(path, [short])).diverging).toBe(0);
    expect((await check(path, [moves])).diverging).toBe(1);
  });

  test("nothing explains what nothing explains, and the rest is compared all the same", async () => {
    const cases = [fine, wrong, witnessed(short, short), wrong, fine];
    const result = await check(file("wrong", cases));
    expect(ids(result.deviations)).toEqual([short.id]);
    expect(result).toMatchObject({ cases: 5, diverging: 2, steps: 14, compared: 12 });
    expect(result.first).toMatchObject({ number: 1, line: 6, divergence: { step: 1 } });
  });
});

describe("what is compared", () => {
  test.each([
    ["result", 0, { result: 4095 }, "result"],
    ["i_size", 0, { i_size: 4097 }, "i_size"],
    ["the map", 0, { map: [[0, 1, "written"]] }, "map"],
    ["the reservation", 0, { reserved: 2 }, "reserved"],
    ["st_blocks", 0, { st_blocks: 64 }, "st_blocks"],
    ["the bytes of a read", 2, { read: [4096] }, "read"],
    ["the pages", 0, { pages: { cached: 2, dirty: 1 } }, "pages"],
    ["the extent status cache", 0, { cache: [[0, 1, "hole"]] }, "cache"],
  ] as [string, number, object, string][])("%s", async (_, index, change, kind) => {
    const { first } = await check(file("changed", [fine, seeing(index, change)]));
    expect(first).toMatchObject({ number: 1, divergence: { step: index, kind } });
  });

  test("of a case that was performed where hardly a block is free, the promises", async () => {
    const full = { ...header, promised: "space runs out" };
    const path = fileOf("full", traceLines(full, [fine, wrong, seeing(0, { reserved: 0 })]));
    expect(await check(path, "none")).toMatchObject({
      cases: 3,
      first: { number: 1, divergence: { kind: "contract" } },
    });
  });

  test("a read of version 2, by its digest, which is shown", async () => {
    const seen = {
      errno: 0,
      size: 0,
      blocks512: 0,
      delalloc: 0,
      fiemap: [],
      pieces: 0,
      breaks: [],
    };
    const read = { op: "pread", offset: 0, length: 4096, ...seen, ret: 0 };
    const right = createHash("sha256").digest("hex");
    const lines = (sha256: string): string[] => traceLines(headerV2(), [[{ ...read, sha256 }]]);
    expect((await check(fileOf("digest", lines(right)))).diverging).toBe(0);
    const { first } = await check(fileOf("other digest", lines("0".repeat(64))));
    expect(first?.divergence.message).toMatch(
      /^the 0 bytes that were read have SHA-256 0{16}\.\.\., expected [0-9a-f]{16}\.\.\.$/,
    );
    expect(first?.divergence.seen?.read).toMatchObject({ length: 0, sha256: "0".repeat(64) });
  });

  test("whatever a trace claims, the model survives it", async () => {
    const cases = generatedCases({ variant: variants[0]!, maxLength: 12, powerCuts: 100 });
    const spoil = fc.record({
      step: fc.nat(),
      name: fc.constantFrom("result", "i_size", "reserved", "map", "breaks", "pieces", "commits"),
      number: fc.oneof(fc.nat(20), fc.nat(2 ** 30)),
    });
    let ran = 0;
    await fc.assert(
      fc.asyncProperty(cases, fc.array(spoil, { maxLength: 4 }), async (list, spoils) => {
        const steps = stepsOf(header, list);
        for (const { step, name, number } of spoils) {
          const { seen } = steps[step % steps.length]!;
          const states = ["unwritten", "written", "delayed"] as const;
          if (name === "map") seen[name] = [[number, 1 + step, states[step % 3]!]];
          else if (name === "breaks") seen[name] = [number, number + 1 + step];
          else seen[name] = number;
        }
        const lines = asLines(traceLines(header, [steps]));
        try {
          for await (const one of (await parseTrace(lines, "t")).cases) {
            new TraceModel(config, [short]).run(one, { variant: "t", blockSize: 4096 });
            ran += 1;
          }
        } catch (error) {
          if (!(error instanceof UsageError)) throw error;
        }
      }),
      { numRuns: 1000 },
    );
    expect(ran).toBeGreaterThan(500);
  });
});

describe("a file that gives nothing to compare is refused", () => {
  test.each([
    ["no cases", traceLines(headerV1, []), /no-cases: nothing was compared: it has no cases$/],
    ["no steps", traceLines(headerV1, [[], []]), /nothing was compared: its cases have no steps$/],
    ["no cases, version 2", traceLines(header, []), /nothing was compared: it has no cases$/],
  ])("%s", async (name, lines, message) => {
    const path = fileOf(name.replaceAll(" ", "-"), lines);
    await expect(check(path)).rejects.toThrow(UsageError);
    await expect(check(path)).rejects.toThrow(message);
  });

  test("a case that is not there", async () => {
    const path = file("three", [fine, fine, fine]);
    await expect(check(path, "needed", { only: 7 })).rejects.toThrow(
      /three: has no case 7, but cases 0 to 2$/,
    );
  });

  test("a page cache without end", async () => {
    const pread = { op: "pread", length: 2 ** 22, ret: 2 ** 22, size: 2 ** 42 };
    const seen = { errno: 0, blocks512: 0, delalloc: 0, fiemap: [], es: [] };
    const steps: object[] = [{ op: "ftruncate", ...seen, ret: 0, size: 2 ** 42 }];
    for (let i = 0; i < 300; i++) steps.push({ ...pread, ...seen, offset: i * 2 ** 22 });
    const path = fileOf("sparse", traceLines({ ...headerV1, kernel: "6.12" }, [steps]));
    await expect(check(path)).rejects.toThrow(
      /sparse: line 2: steps\[257\]: the page cache would hold 263168 folios; 262144 is the limit/,
    );
  });
});

test("--case checks that case alone, and is what the replay command says", async () => {
  const path = file("it's 2", [witnessed(short, short), wrong, fine]);
  expect(await check(path, "needed", { only: 2 })).toMatchObject({ cases: 1, diverging: 0 });
  const result = await check(path);
  // The path is as short as it can be said from here, which depends on where "here" is.
  expect(replayCommand(result, false)).toMatch(
    new RegExp(
      String.raw`^node dist/ext4-conform\.js trace check --deviation ${short.id} --case 1 -- '.*it'\\''s 2[^']*'$`,
    ),
  );
  const again = await check(path, [short], { only: 1 });
  expect(again.first).toEqual(result.first);
  expect(again.cases).toBe(1);
});

const text = (calls: unknown[][]): string => calls.map(([s]) => String(s)).join("");

/** Exit status, and what was printed. */
async function run(files: string[], more: object = {}) {
  const out = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  const err = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const all = { strict: false, deviation: undefined, case: undefined, limits: DEFAULT_LIMITS };
  try {
    const status = await traceCheck({ files, ...all, ...more });
    return { status, out: text(out.mock.calls), err: text(err.mock.calls) };
  } finally {
    out.mockRestore();
    err.mockRestore();
  }
}

describe("the command", () => {
  test("0 where all agree, with the numbers of what was compared", async () => {
    const paths = [file("a", [fine, fine]), file("b", [witnessed(short, short)])];
    const { status, out } = await run(paths);
    expect(status).toBe(0);
    const speed = "[0-9,]+ steps/s";
    expect(unwrapped(out)).toMatch(
      new RegExp(
        `^agrees    ${paths[0]} 2 cases, 6 of 6 steps compared, ${speed}; no deviation$`,
        "m",
      ),
    );
    expect(unwrapped(out)).toMatch(
      new RegExp(`/b 1 case, 2 of 2 steps compared, ${speed}; ${short.id} in 1 case$`, "m"),
    );
    expect(unwrapped(out)).toMatch(
      /\nAGREES: the model with all 2 files, known deviations taken in 1 of them; 3 cases, 8 of 8 steps compared\n$/,
    );
  });

  test("1 where one diverges, with the report of its first divergence, and the others", async () => {
    const { status, out } = await run([file("bad", [fine, wrong, wrong]), file("good", [fine])]);
    expect(status).toBe(1);
    expect(out.match(/^FAIL {2}model and kernel disagree on i_size$/gm)).toHaveLength(1);
    expect(out).toMatch(/^> 1 {2}fsync\(\)$/m);
    expect(out).toMatch(/^! i_size .*4096 .*4095/m);
    expect(out).toMatch(/^ {2}node dist\/ext4-conform\.js trace check --case 1 -- \S+\/bad$/m);
    expect(out).toMatch(/^ {2}case 1, line 6 of \S+\/bad; no deviation explains it$/m);
    expect(unwrapped(out)).toMatch(/^DIVERGES .*\/bad in 2 of 3 cases, 7 of 9 steps compared, /m);
    expect(unwrapped(out)).toMatch(/^agrees .*\/good 1 case, 3 of 3 steps compared/m);
    expect(unwrapped(out)).toMatch(/\nDIVERGES: 1 of 2 files; 4 cases, 10 of 12 steps compared\n$/);
  });

  test("64 where a file cannot be checked, in one line, and the others are", async () => {
    const { status, out, err } = await run([fileOf("garbage", ["{"]), file("good", [fine])]);
    expect(status).toBe(64);
    expect(err).toMatch(/^ext4-conform: \S+\/garbage: line 1: is not JSON\n$/);
    expect(unwrapped(out)).toMatch(/^agrees .*\/good/m);
    expect(unwrapped(out)).toMatch(
      /\nNOT CHECKED: .*; 1 of 2 files could not be checked, see above\n$/,
    );
  });

  test("a divergence counts for more than a file that cannot be checked", async () => {
    const { status } = await run([fileOf("garbage", ["{"]), file("bad", [wrong])]);
    expect(status).toBe(1);
  });

  test("--strict and --deviation decide which deviations may have a part", async () => {
    const path = file("short", [witnessed(short, short)]);
    expect(await run([path], { strict: true })).toMatchObject({
      status: 1,
      out: expect.stringMatching(/trace check --strict --case 0 -- .*no deviation was allowed/s),
    });
    expect((await run([path], { deviation: short.id })).status).toBe(0);
    expect((await run([path], { deviation: moves.id })).status).toBe(1);
    await expect(run([path], { deviation: "none-such" })).rejects.toThrow(
      /there is no deviation "none-such"; there are: short-write/,
    );
  });
});

describe("each known deviation explains a trace of its witness, and nothing else does", () => {
  const all = knownDeviations.filter(
    ({ visible }) => visible === "step" || visible === "page cache",
  );
  test.each(all)("$id", async (deviation) => {
    const { variant, kernel, freeBlocks } = deviation.witness;
    const of = headerV3(variant, kernel as KernelName, freeBlocks);
    // Which of two it is, writeback may tell.
    const operations: Operation[] = [...witnessOf(deviation), { op: "fsync" }];
    const steps = stepsOf(of, operations, [deviation]);
    const path = fileOf(deviation.id, traceLines(of, [steps]));
    expect(ids((await check(path)).deviations)).toEqual([deviation.id]);
    expect((await check(path, "none")).diverging).toBe(1);
  });
});
