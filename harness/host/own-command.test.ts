import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fileWord, ownCommand, ownProgram, ownSudoCommand, shellWord } from "./own-command.ts";
import { packageRoot, packageVersion } from "./package.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "conform own 'command'-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const node = dirname(process.execPath);
const PATH = `${node}:/usr/bin:/bin`;
const cli = join(packageRoot, "dist", "ext4-conform.js");

/** A folder for PATH with a command of our name that does something else. */
function foreign(): string {
  const bin = join(folder, "foreign");
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, "ext4-conform"), "#!/bin/sh\necho foreign\n", { mode: 0o755 });
  return bin;
}

describe("a command that is printed starts this very program", () => {
  const bin = join(packageRoot, "bin");
  test.each([
    ["in the clone", packageRoot, { PATH }, ["node", "dist/ext4-conform.js"]],
    ["in a folder of it", join(packageRoot, "ci"), { PATH }, ["node", "../dist/ext4-conform.js"]],
    ["elsewhere", "/", { PATH }, ["node", cli.length > 1 ? cli.slice(1) : cli]],
    ["with its folder in PATH", "/", { PATH: `${bin}:${PATH}` }, ["ext4-conform"]],
    [
      "from npm, which has changed PATH",
      packageRoot,
      { PATH: `${bin}:${PATH}`, npm_command: "exec" },
      ["node", "dist/ext4-conform.js"],
    ],
    [
      "without node in PATH",
      packageRoot,
      { PATH: "/nowhere" },
      [process.execPath, "dist/ext4-conform.js"],
    ],
  ])("%s", (_, cwd, env, words) => {
    expect(ownProgram({ env, cwd })).toEqual(words);
    const command = ownCommand(["--version"], { env, cwd });
    const said = execFileSync("/bin/sh", ["-c", command], { cwd, env, encoding: "utf8" });
    expect(said).toBe(`${packageVersion()}\n`);
  });

  test.each([
    ["with its folder in PATH", { PATH: `${bin}:${PATH}` }],
    ["with node in a folder of the user's", { PATH: `${node}:/usr/bin` }],
  ])("as root, by sudo, which has a PATH of its own: %s", (_, env) => {
    const [sudo, ...rest] = ownSudoCommand(["--version"], { env, cwd: "/" }).split(" ");
    expect(sudo).toBe("sudo");
    const secure = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" };
    const options = { cwd: "/", env: secure, encoding: "utf8" } as const;
    const said = execFileSync("/bin/sh", ["-c", rest.join(" ")], options);
    expect(said).toBe(`${packageVersion()}\n`);
  });

  test("where another command bears its name", () => {
    const env = { PATH: `${foreign()}:${bin}:${PATH}` };
    expect(ownProgram({ env, cwd: packageRoot })).toEqual(["node", "dist/ext4-conform.js"]);
  });

  test("where a link leads to it, in a folder that a shell must have quoted", () => {
    const links = join(folder, "links");
    mkdirSync(links);
    symlinkSync(join(bin, "ext4-conform"), join(links, "ext4-conform"));
    expect(ownProgram({ env: { PATH: `${links}:${PATH}` }, cwd: folder })).toEqual([
      "ext4-conform",
    ]);
    const env = { PATH: `${links}:${PATH}` };
    const said = execFileSync("ext4-conform", ["--version"], {
      cwd: folder,
      env,
      encoding: "utf8",
    });
    expect(said).toBe(`${packageVersion()}\n`);
  });
});

test.each([
  "plain",
  "",
  "two words",
  "it's",
  '$HOME `id` \\ "',
  "a\nb\u001b[2J'\\c",
  "\u00e4 \u009b",
])("a shell reads %j as it was", (word) => {
  const said = execFileSync("bash", ["-c", `printf %s ${shellWord(word)}`], { encoding: "utf8" });
  expect(said).toBe(word);
  expect(shellWord(word)).not.toMatch(/\p{Cc}/u);
});

test("a file is never taken for an option", () => {
  expect(fileWord("-x.json", folder)).toBe("./-x.json");
  expect(fileWord("/etc/passwd", "/usr/share/doc")).toBe("/etc/passwd");
  expect(fileWord("a/b.json", folder)).toBe("a/b.json");
});
