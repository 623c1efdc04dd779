/**
 * Completion as the shells do it, and the manual as it is read. Where a shell is missing its tests
 * say so and are skipped.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { variants } from "../../images/variants.ts";
import { bashCompletion } from "../command-line/bash.ts";
import { flat } from "../command-line/described.ts";
import { fishCompletion } from "../command-line/fish.ts";
import { manual } from "../command-line/manual.ts";
import { zshCompletion } from "../command-line/zsh.ts";
import { lacksProgram } from "../system/process.ts";
import { program } from "./cli.ts";
import { described } from "./completion.ts";

const all = described(program);

/** Why it cannot be tested; undefined where it can. */
function lacking(name: string): string | undefined {
  const lacks = lacksProgram(name)?.message;
  if (lacks !== undefined) console.warn(`SKIP: ${lacks}`);
  return lacks;
}
const [noBash, noZsh, noFish, noMandoc, noMan] = ["bash", "zsh", "fish", "mandoc", "man"].map(
  lacking,
);

const folder = mkdtempSync(join(tmpdir(), "conform-completion-"));
const home = join(folder, "home");
beforeAll(() => {
  mkdirSync(join(folder, "a folder"));
  mkdirSync(home);
  writeFileSync(join(folder, "a file"), "");
  writeFileSync(join(folder, "script.bash"), bashCompletion(all));
  writeFileSync(join(folder, "script.zsh"), zshCompletion(all));
  writeFileSync(join(folder, "script.fish"), fishCompletion(all));
  writeFileSync(join(folder, "page.1"), manual(all, "1.2.3"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const there = { cwd: folder, env: { HOME: home, TERM: "dumb", LC_ALL: "C.UTF-8" } };

/** What is offered for the last of these words. */
type Ask = (words: readonly string[]) => Promise<string[]>;

const linesOf = (text: string): string[] => (text === "" ? [] : text.split("\n").toSorted());

const askBash: Ask = async (words) => {
  const script = `source ./script.bash
    COMP_WORDS=(ext4-conform "$@") COMP_CWORD=$#
    _ext4_conform
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await execa("bash", ["--norc", "-c", script, "bash", ...words], there);
  return linesOf(stdout);
};

const askFish: Ask = async (words) => {
  const line = ["ext4-conform", ...words].join(" ");
  const script = `source ./script.fish; complete -C '${line}'`;
  const { stdout } = await execa("fish", ["--no-config", "-c", script], there);
  return linesOf(stdout).map((text) => text.split("\t")[0]!);
};

/** Files without what a shell adds to them. */
const plain = (offered: readonly string[]): string[] =>
  offered.map((file) => file.replaceAll("\\", "").replace(/\/$/, ""));

describe.each([
  ["bash", askBash, noBash],
  ["fish", askFish, noFish],
] as const)("%s", (_, ask, lacks) => {
  test.skipIf(lacks !== undefined)("knows every command and every option", async () => {
    for (const { path, commands } of flat(all).filter((one) => one.commands.length > 0)) {
      const names = commands.map((one) => one.path.at(-1)!);
      expect(await ask([...path, ""])).toEqual(names.toSorted());
    }
    for (const { path, options } of flat(all)) {
      const offered = (await ask([...path, "--"])).filter((word) => word.startsWith("--"));
      expect(offered).toEqual(options.map(({ long }) => long).toSorted());
    }
  });

  test.skipIf(lacks !== undefined)("knows what options and operands may be", async () => {
    expect(await ask(["run", "--accel", ""])).toEqual(["auto", "kvm", "tcg"]);
    expect(await ask(["run", "--strict", "--report", "jun"])).toEqual(["junit"]);
    expect(await ask(["export", "--as", "fs"])).toEqual(["fstest", "fsxops"]);
    expect(await ask(["explain", "short-write-k"])).toEqual(["short-write-keeps-reservation"]);
    expect(await ask(["completion", ""])).toEqual(["bash", "fish", "zsh"]);
    const names = variants.map(({ name }) => name).filter((name) => name.startsWith("4k-n"));
    const lists = names.map((name) => `2k-delalloc,${name}`).toSorted();
    expect(await ask(["compare", "--variant", "2k-delalloc,4k-n"])).toEqual(lists);
  });

  test.skipIf(lacks !== undefined)("completes files and folders where they are taken", async () => {
    for (const words of [["replay"], ["run", "--accept"], ["run", "--kernel"]])
      expect(plain(await ask([...words, "a"]))).toEqual(["a file", "a folder"]);
    expect(plain(await ask(["run", "--save", "a"]))).toEqual(["a folder"]);
    expect(plain(await ask(["run", "--kernel", "h"]))).toEqual(["home", "host"]);
    expect(await ask(["run", "--cases", ""])).toEqual([]);
  });
});

/** A shell with a terminal, in which this is typed; what the command was called with. */
async function typed(shell: string, setup: string, lines: readonly string[]): Promise<string[]> {
  const input = [setup, 'ext4-conform() { echo "called: $*"; }', ...lines, "exit", ""].join("\n");
  const { stdout } = await execa("script", ["-qec", shell, "/dev/null"], { ...there, input });
  const shown = stripVTControlCharacters(stdout);
  return [...shown.matchAll(/^called: (.*?)\s*$/gm)].map(([, text]) => text!);
}

const TYPED = [
  "ext4-conform doc\t",
  "ext4-conform run --statist\t",
  "ext4-conform run --variant=4k-delalloc,4k-nod\t",
  "ext4-conform trace ch\t a\\ fi\t",
];
const CALLED = [
  "doctor",
  "run --statistics",
  "run --variant=4k-delalloc,4k-nodelalloc",
  "trace check a file",
];

test.skipIf(noBash !== undefined)("bash completes what is typed", async () => {
  const called = await typed("bash --norc --noprofile -i", "source ./script.bash", TYPED);
  expect(called).toEqual(CALLED);
});

test.skipIf(noZsh !== undefined)("zsh completes what is typed", async () => {
  const setup = "autoload -U compinit; compinit -D -u; source ./script.zsh";
  const called = await typed("zsh -f -i", setup, TYPED);
  expect(called).toEqual(CALLED);
});

describe("the manual", () => {
  test.skipIf(noMandoc !== undefined)("is content to mandoc, but has no date", async () => {
    const args = ["-T", "lint", "-W", "warning", "page.1"];
    const { stdout, stderr } = await execa("mandoc", args, { ...there, reject: false });
    const said = linesOf(`${stdout}${stderr}`);
    expect(said.filter((line) => !line.includes("missing date"))).toEqual([]);
  });

  test.skipIf(noMan !== undefined)("is shown by man, with all commands and options", async () => {
    const env = { ...there.env, MANWIDTH: "80", MANPAGER: "cat" };
    const { stdout, stderr } = await execa("man", ["-l", "page.1"], { ...there, env });
    expect(stderr).toBe("");
    const [, ...commands] = flat(all);
    for (const { path, options } of commands) {
      expect(stdout).toContain(`\n   ${path.join(" ")}\n`);
      for (const { long } of options) expect(stdout).toContain(long);
    }
    expect(stdout).toMatch(/^EXIT STATUS\n +0 +conforms/m);
  });
});
