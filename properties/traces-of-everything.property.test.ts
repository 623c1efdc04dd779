/**
 * The model against what a kernel did with all that a run generates, as version 3 records it: direct
 * I/O, pauses, two files, a device without room, power cuts, the page cache, and every byte that
 * was read.
 */
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UsageError } from "../harness/case/failure.ts";
import { findShortest } from "../harness/contract/shortest.ts";
import { checkFile, leewayOf } from "../harness/trace/check.ts";
import type { Allowed } from "../harness/trace/check.ts";
import { DEFAULT_LIMITS } from "../harness/trace/limits.ts";
import { readTrace } from "../harness/trace/read.ts";
import { knownDeviations } from "../model/deviations/index.ts";
import { everything, everythingFolder as folder } from "./recordings.ts";

const table = Object.entries(everything).map(([name, facts]) => ({ name, ...facts }));
const followed = table.filter(({ promised }) => promised === undefined);
const needs = followed.flatMap(({ name, parts }) =>
  Object.keys(parts).map((id) => ({ name, parts, id })),
);

let spoilt = "";
beforeAll(() => {
  spoilt = mkdtempSync(join(tmpdir(), "conform-everything-"));
});
afterAll(() => rmSync(spoilt, { recursive: true }));

const fileOf = (name: string): string => `${folder}${name}.jsonl.br`;

const check = (file: string, allowed: Allowed) =>
  checkFile(file, { allowed, only: undefined, limits: DEFAULT_LIMITS });

const named = (ids: readonly string[]) => knownDeviations.filter(({ id }) => ids.includes(id));

const linesOf = (name: string): string[] =>
  brotliDecompressSync(readFileSync(fileOf(name)))
    .toString()
    .trimEnd()
    .split("\n");

interface StepLine {
  operation?: { op: string };
  seen: {
    result: number;
    i_size: number;
    reserved: number;
    pages?: { cached: number };
    read?: unknown[];
  };
}

/** The recording with one step of each case changed, if `change` does so; how many were. */
function withChanged(name: string, change: (step: StepLine) => boolean): [string, number] {
  let [changed, done] = [0, false];
  const lines = linesOf(name).map((line) => {
    const step = JSON.parse(line) as StepLine;
    if (step.operation === undefined) done = false;
    else if (!done && (done = change(step))) changed += 1;
    return JSON.stringify(step);
  });
  const file = join(spoilt, "changed.jsonl");
  writeFileSync(file, `${lines.join("\n")}\n`);
  return [file, changed];
}

const changes: [string, (step: StepLine) => boolean][] = [
  ["a result", ({ seen }) => (seen.result += 1) > -Infinity],
  ["i_size", ({ seen }) => (seen.i_size += 1) > 0],
  ["a reservation", ({ seen }) => (seen.reserved += 1) > -Infinity],
  ["a page", ({ seen }) => seen.pages !== undefined && (seen.pages.cached += 1) > 0],
  // A region's next byte, or a zero more.
  [
    "a byte that was read",
    ({ seen: { read } }) => {
      const part = read?.[0];
      if (part === undefined || typeof part === "string" || part === 1) return false;
      if (Array.isArray(part)) part[1] = Number(part[1]) - 1;
      else read![0] = Number(part) - 1;
      return true;
    },
  ],
];

describe("recordings of everything", () => {
  test("every recording is replayed", () => {
    expect(readdirSync(folder)).toEqual(Object.keys(everything).map((name) => `${name}.jsonl.br`));
  });

  test("among what they hold is what versions 1 and 2 cannot", () => {
    const text = table.flatMap(({ name }) => linesOf(name)).join("\n");
    for (const word of ["direct_write", "direct_read", "paused_write", "unlink", "power_cut"]) {
      expect(text).toContain(`"op":"${word}"`);
    }
    for (const member of ['"file":1', '"starved":true', '"pages":', '"during":', '"cut":']) {
      expect(text).toContain(member);
    }
  });

  test.each(table)("$name: model and contract agree", async ({ name, steps, parts }) => {
    const result = await check(fileOf(name), "needed");
    expect(result.first).toBeUndefined();
    expect(result).toMatchObject({
      cases: 60,
      steps,
      compared: steps,
      diverging: 0,
      handedOver: 0,
    });
    expect(Object.fromEntries(result.parts)).toEqual(parts);
  });

  test.each(needs)("$name: not without $id", async ({ name, parts, id }) => {
    const others = named(Object.keys(parts).filter((other) => other !== id));
    expect((await check(fileOf(name), others)).diverging).toBeGreaterThan(0);
  });

  test.each(table)("$name: breaks no promise but those", async ({ name, steps, broken }) => {
    const { header, config, cases } = await readTrace(fileOf(name));
    const findings = await findShortest(cases, { ...config, ...leewayOf(header) });
    expect(findings.operations).toBe(steps);
    expect(Object.fromEntries(findings.list.map((f) => [f.promise, f.cases]))).toEqual(broken);
  });

  describe.each(followed)("$name", ({ name, parts }) => {
    test.each(changes)("%s changed in any case is found", async (_, change) => {
      const [file, changed] = withChanged(name, change);
      const { diverging } = await check(file, named(Object.keys(parts)));
      expect(changed).toBeGreaterThan(10);
      expect(diverging).toBe(changed);
    });

    test("a byte changed anywhere in the packed file is refused, or found", async () => {
      const whole = readFileSync(fileOf(name));
      const file = join(spoilt, "flipped.jsonl.br");
      for (let at = 100; at < whole.length; at += 997) {
        const bytes = Buffer.from(whole);
        bytes[at]! ^= 0xff;
        writeFileSync(file, bytes);
        const found = await check(file, named(Object.keys(parts))).then(
          ({ diverging }) => diverging > 0,
          (error: unknown) => error instanceof UsageError,
        );
        expect({ at, found }).toEqual({ at, found: true });
      }
    });
  });
});
