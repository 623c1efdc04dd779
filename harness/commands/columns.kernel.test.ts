/**
 * What the commands print fits 80 columns where no terminal says otherwise.
 */
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { asNobody, builtCommand, cli, hiddenFromNobody } from "../host/built-command.ts";
import { corpusDirectory } from "../host/package.ts";
import { knownDeviations } from "../../model/deviations/index.ts";
import { promises } from "../contract/promises.ts";
import { machineLacks } from "../system/machine.ts";
import { described } from "./completion.ts";
import { flat } from "../command-line/described.ts";
import { program } from "./cli.ts";

const lacks = machineLacks();
const { folder, conform } = builtCommand("columns");

/** What may be longer: a command to be copied, and one word, as the path of a file. */
const mayBeLonger = (line: string): boolean =>
  /^ *(?:\S*node \S*ext4-conform\.js|ext4-conform [a-z]|sudo |apt-get )/.test(line) ||
  !line
    .trim()
    .replace(/^[|>!]/, "")
    .trim()
    .includes(" ");

/** The lines that do not fit, of what a command prints on both of its outputs. */
async function tooLong(words: readonly string[], options: object = {}): Promise<string[]> {
  const { stdout, stderr } = await conform(words, options);
  expect(stdout + stderr).not.toBe("");
  // What goes beside the text is a line for each message where nobody's terminal is.
  const lines = stdout.split("\n");
  return lines.filter((line) => line.length > 80 && !mayBeLonger(line));
}

const stored = (name: string): string => join(corpusDirectory, `${name}.json`);

test("help, of every command", async () => {
  for (const { path } of flat(described(program))) {
    expect(await tooLong([...path, "--help"])).toEqual([]);
  }
});

test("what is explained, and listed", async () => {
  for (const { id } of [...knownDeviations.slice(0, 6), ...promises.slice(0, 6)]) {
    expect(await tooLong(["explain", id])).toEqual([]);
  }
  expect(await tooLong(["variants"])).toEqual([]);
});

test.each([
  ["run", "--variant", "4k-deallloc"],
  ["run", "--variant", "4k-delalloc,"],
  ["run", "--variant", "4k-delalloc", "4k-full"],
  ["run", "--case"],
  ["explain", "short-write-keep-reservation"],
  ["replay", "there-is-no-file-of-such-a-name-in-the-whole-of-this-folder-or-another.json"],
  ["differences", "4k-delalloc", "1k-delalloc"],
  ["differences", "4k-delalloc-iomap", "4k-nodelalloc-iomap", "--depth", "2"],
  ["differences", "4k-delalloc@6.81", "4k-delalloc"],
])("%s %s %s", async (...words) => {
  expect(await tooLong(words)).toEqual([]);
});

test("what a user who may do nothing is told", async ({ skip }) => {
  const hidden = await hiddenFromNobody();
  skip(hidden !== undefined, hidden);
  expect(await tooLong(["doctor"], asNobody)).toEqual([]);
  expect(await tooLong(["run"], asNobody)).toEqual([]);
});

describe.skipIf(lacks !== undefined)("on a kernel", () => {
  const few = ["--cases", "20", "--seed", "7", "--save", folder];
  test.each([
    ["doctor"],
    ["run", "--variant", "4k-delalloc,4k-full,4k-full-nodelalloc", "--statistics", ...few],
    ["run", "--strict", "--variant", "4k-delalloc,1k-nodelalloc", ...few],
    ["explore", "--variant", "4k-delalloc,4k-nodelalloc", "--blocks", "1", "--save", folder],
    ["compare", "--baseline", "host", "--candidate", "host", "--variant", "4k-delalloc", ...few],
    ["replay", "--steps", "--strict", stored("gap-brings-in-eof-folio")],
    ["trace", "record", "--out", join(folder, "recorded.jsonl"), "--cases", "5", "--force"],
  ])("%s %s %s", async (...words) => {
    expect(await tooLong(words)).toEqual([]);
  });
});

/** The longest line that is printed on a terminal of so many columns. */
async function widest(columns: number): Promise<number> {
  const shell = `stty cols ${columns}; node ${cli} explain failed-write-moves-size; node ${cli} variants`;
  const { stdout } = await execa("script", ["-qec", shell, "/dev/null"]);
  return Math.max(...stdout.split(/\r?\n/).map((line) => line.length));
}

test("a terminal that is wider, or narrower, has lines of its width", async () => {
  expect(await widest(60)).toBeLessThanOrEqual(60);
  const wide = await widest(100);
  expect(wide).toBeGreaterThan(80);
  expect(wide).toBeLessThanOrEqual(100);
});
