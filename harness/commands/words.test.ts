/**
 * What is said where somebody mistyped something, or went away: real processes, no kernel.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { builtCommand, cli, unwrapped } from "../host/built-command.ts";
import { corpusDirectory } from "../host/package.ts";

const { folder, conform } = builtCommand("words");

const stored = join(corpusDirectory, "gap-brings-in-eof-folio.json");

describe("a mistake", () => {
  test.each([
    [["run", "--variant", "4k-deallloc"], "(Did you mean 4k-delalloc?)"],
    [["run", "--variant", "4k-delalloc,"], '"4k-delalloc," has an empty name'],
    [["run", "--variant", "4k-delalloc", "4k-full"], "--variant 4k-delalloc,4k-full?"],
    [["explore", "--variant", "4k-delalloc", "4k-full"], "--variant 4k-delalloc,4k-full?"],
    [
      ["trace", "check", "--deviation", "first-byte-not-ordered", "failed-write-moves-size"],
      "--deviation first-byte-not-ordered,failed-write-moves-size?",
    ],
    [["explain", "failed-write-move-size"], "(Did you mean failed-write-moves-size?)"],
    [["differences", "4k-delalloc@6.81", "4k-delalloc"], "(Did you mean 6.18?)"],
  ])("%j is told, with what was meant", async (words, message) => {
    const { exitCode, stderr } = await conform(words);
    expect(unwrapped(stderr)).toContain(message);
    expect(exitCode).toBe(64);
  });
});

test("help takes a command of a command", async () => {
  const { exitCode, stdout } = await conform(["help", "kernel", "build"]);
  expect(stdout).toMatch(/^Usage: ext4-conform kernel build /);
  expect(exitCode).toBe(0);
});

test("an export whose reader goes away ends silently, as SIGPIPE ends a program", async () => {
  const line = `node ${cli} export ${stored} --as c | true; echo "status \${PIPESTATUS[0]}"`;
  const { stdout, stderr } = await execa("bash", ["-c", line], { cwd: folder });
  expect(stdout).toBe("status 141");
  expect(stderr).toBe("");
});

test("differences that Ctrl-C ends says what it found so far", async () => {
  const sides = ["4k-delalloc", "4k-delalloc-iomap"];
  const running = conform(["differences", ...sides, "--blocks", "5", "--depth", "9", "--go-on"]);
  // The live line says that the search is under way.
  await new Promise<void>((resolve) => running.stderr?.once("data", () => resolve()));
  running.kill("SIGINT");
  const { stdout, signal } = await running;
  expect(stdout).toMatch(/\nkind +A +B\nmap: /);
  expect(stdout).toMatch(/\nno difference so far: .*\n(?:.*\n)*ENDED EARLY: SIGINT$/);
  expect(signal).toBe("SIGINT");
});

describe("bisect-step without a kernel", () => {
  test("refuses where a bisection is under way, which it would not be about", async () => {
    const tree = join(folder, "tree");
    mkdirSync(tree);
    const git = (...words: string[]) =>
      execa("git", ["-c", "user.name=a", "-c", "user.email=a@b", ...words], { cwd: tree });
    await git("init", "-q");
    for (const name of ["a", "b", "c"]) await git("commit", "-q", "--allow-empty", "-m", name);
    await git("bisect", "start", "HEAD", "HEAD~2");
    const { exitCode, stderr } = await conform(["bisect-step", stored], { cwd: tree });
    expect(unwrapped(stderr)).toMatch(/^ext4-conform: a bisection is under way .* --kernel host/);
    expect(exitCode).toBe(128);
  });

  test("says that it tests the running one", async () => {
    const { stderr } = await conform(["bisect-step", stored], { cwd: folder });
    expect(stderr).toMatch(/^no --kernel: the running kernel is tested, \d/);
  });
});
