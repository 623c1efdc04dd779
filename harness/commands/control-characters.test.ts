/**
 * Whatever a file has in its texts, or in its name, nothing that a terminal would obey comes out of
 * the command: nor do lines that the command itself never wrote.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { builtCommand } from "../host/built-command.ts";
import { keepSafe, safeOutput, TO_LINE_START } from "../text/terminal.ts";
import { headerV1, traceLines } from "../trace/samples.ts";

const { folder, conform } = builtCommand("control");

/**
 * Clears the screen, hides what follows, rings, goes back, turns the direction of writing, and
 * makes a line of its own.
 */
const EVIL = "x\u001b[2J\u001b[8m\u0007\r\u202e\u009b31m\nCONFORMS: all of it";

const counts = { cases: 1, operations: 1, files: 1, checkpoints: 1, guesses: 0 };

const result = {
  format: "ext4-conform result",
  version: 1,
  tool: EVIL,
  kernel: {
    what: EVIL,
    kind: EVIL,
    guest: true,
    append: [EVIL],
    commandLine: EVIL,
    release: EVIL,
    machine: EVIL,
  },
  seed: 7,
  strict: false,
  seconds: 1,
  verdict: "diverges",
  variants: [
    {
      variant: EVIL,
      counts: { ...counts, deviations: { [EVIL]: 1 } },
      seconds: 1,
      mounted: { path: "iomap", options: EVIL, promised: EVIL },
    },
  ],
  divergences: [
    {
      variant: "4k-delalloc",
      case: 1,
      divergence: {
        variant: EVIL,
        step: 0,
        operations: [{ op: "fsync" }],
        kind: "e2fsck",
        message: EVIL,
        evidence: [EVIL, "a\tb"],
      },
      confirmed: true,
      named: [EVIL],
    },
  ],
};

const header = { ...headerV1, path: "iomap" as const, series: EVIL };
const seen = { ret: 0, errno: 0, size: 0, blocks512: 0, delalloc: 0, fiemap: [], es: [] };
const steps = [{ op: "fsync", ...seen }];

const counterexample = {
  format: "ext4-conform counterexample",
  version: 1,
  variant: EVIL,
  operations: [{ op: "fsync" }],
};

const cases: [string, string[], unknown, number][] = [
  ["a result", ["merge"], result, 1],
  ["a recording", ["trace", "check"], traceLines(header, [[{ op: EVIL }]]).join("\n"), 64],
  ["a recording that agrees", ["trace", "check"], traceLines(header, [steps]).join("\n"), 0],
  ["a counterexample", ["replay"], counterexample, 64],
  ["an exploration", ["explore", "--resume"], { ...counterexample, format: EVIL }, 64],
];

function mustBeSafe(out: string): void {
  // All that is not a character to be read, but the ends of lines.
  expect(out).toMatch(
    /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]*(?:\n[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]*)*$/u,
  );
  expect(out).not.toMatch(/^CONFORMS/m);
}

describe("control characters", () => {
  test.each(cases)("in %s", async (what, args, content, status) => {
    const file = join(folder, `${what.replaceAll(" ", "-")}.json${EVIL.split("\n")[0]}`);
    writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
    const { exitCode, stdout, stderr } = await conform([...args, file]);
    mustBeSafe(stdout);
    mustBeSafe(stderr);
    expect(`${stdout}${stderr}`).toContain("x?[2J");
    expect(exitCode).toBe(status);
  });

  test.each(["ktap", "junit", "github", "json"])("in a report as %s", async (form) => {
    const name = `reported-${form}.jsonl${EVIL.split("\n")[0]}`;
    const wrong = traceLines(header, [[{ op: "fsync", ...seen, size: 7 }]]);
    writeFileSync(join(folder, name), wrong.join("\n"));
    const asked = ["trace", "check", "--strict", "--report", form, join(folder, name)];
    const { exitCode, stdout, stderr } = await conform(asked);
    mustBeSafe(stdout);
    mustBeSafe(stderr);
    expect(stdout).toContain(form === "json" ? String.raw`x\u001b[2J` : "x?[2J");
    expect(exitCode).toBe(1);
  });

  test("in words of the command line", async () => {
    for (const args of [
      [EVIL],
      ["run", `--${EVIL}`],
      ["run", "--variant", EVIL],
      ["replay", EVIL],
    ]) {
      const { exitCode, stdout, stderr } = await conform(args);
      mustBeSafe(stdout);
      expect(stderr).not.toMatch(/[^\P{C}\n]/u);
      expect(exitCode).toBe(64);
    }
  });
});

const heard = (): void => {};

describe("what goes to an output", () => {
  test("keeps lines and tabs, and colours and the live line where these are wanted", () => {
    expect(safeOutput(`a\tb\n${EVIL}`, true, true)).toBe(
      "a\tb\nx?[2J\u001b[8m????31m\nCONFORMS: all of it",
    );
    expect(safeOutput("\u001b[31mred\u001b[39m", true, true)).toBe("\u001b[31mred\u001b[39m");
    expect(safeOutput("\u001b[31mred", true, false)).toBe("?[31mred");
    expect(safeOutput(`${TO_LINE_START}now`, true, false)).toBe(`${TO_LINE_START}now`);
    expect(safeOutput(`${TO_LINE_START}now`, false, false)).toBe("??[Know");
  });

  test("whoever writes it, and bytes as they are", () => {
    const written: unknown[] = [];
    const stream = {
      isTTY: false,
      write: (...words: unknown[]) => written.push(...words) > 0,
    } as unknown as NodeJS.WriteStream;
    keepSafe(stream);
    expect(stream.write("a\u001bb\n", heard)).toBe(true);
    stream.write(Buffer.from("\u001b"));
    expect(written).toEqual(["a?b\n", heard, Buffer.from("\u001b")]);
  });
});
