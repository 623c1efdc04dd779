/**
 * Every option that names a place for an output, with every kind of thing that may be there.
 */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { join } from "node:path";
import { execaSync } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { builtCommand } from "../host/built-command.ts";

const root = process.geteuid?.() === 0;
const { folder, conform } = builtCommand("outputs");
const variant = ["--variant", "4k-delalloc"];
const exploring = ["explore", ...variant, "--blocks", "1", "--depth", "1"];

/** Arguments before the path, and a name that it may have. */
const files: Readonly<Record<string, { args: string[]; name: string }>> = {
  "run --result": { args: ["run", ...variant, "--cases", "3", "--result"], name: "r.json" },
  "merge --result": { args: ["merge", "shard.json", "--result"], name: "r.json" },
  "trace record --out": {
    args: ["trace", "record", "--cases", "3", "--force", "--out"],
    name: "r.jsonl",
  },
  "explore --picture": { args: [...exploring, "--picture"], name: "p.dot" },
  "explore --resume": { args: [...exploring, "--resume"], name: "r.json" },
  "kernel build --out": { args: ["kernel", "build", "--source", "tree", "--out"], name: "linux" },
};

const folders: Readonly<Record<string, string[]>> = {
  "run --save": ["run", ...variant, "--cases", "3", "--save"],
  "run --coverage": ["run", "--kernel", "none", "--coverage"],
  "explore --save": [...exploring, "--save"],
  "merge --save": ["merge", "shard.json", "--save"],
  "compare --save": ["compare", "--baseline", "host", "--candidate", "none", "--save"],
  "trace check --contract --save": ["trace", "check", "--contract", "none.jsonl", "--save"],
};

/** Those that only write to what they can read again, or run. */
const needsFile = (option: string): boolean => /resume|kernel build/.test(option);

const mounts: string[] = [];

function tmpfs(name: string, options: string): string {
  const path = join(folder, name);
  fs.mkdirSync(path);
  execaSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", path]);
  mounts.push(path);
  return path;
}

/**
 * A full file system, one that is read-only, and one with nodes of its own of /dev/null and
 * /dev/full.
 */
function makePlaces(): void {
  const full = tmpfs("full-disk", "size=64k");
  execaSync("dd", ["if=/dev/zero", `of=${full}/fill`, "bs=4k"], { reject: false });
  const readOnly = tmpfs("read-only", "size=64k");
  fs.writeFileSync(join(readOnly, "there"), "mine");
  execaSync("mount", ["-o", "remount,ro", readOnly]);
  const nodes = tmpfs("nodes", "size=1m,dev");
  for (const name of new Set(Object.values(files).map((file) => file.name))) {
    fs.mkdirSync(join(nodes, `null-${name}`));
    execaSync("mknod", [join(nodes, `null-${name}`, name), "c", "1", "3"]);
    fs.mkdirSync(join(nodes, `full-${name}`));
    execaSync("mknod", [join(nodes, `full-${name}`, name), "c", "1", "7"]);
  }
}

/** What somebody who reads a FIFO got. */
function reads(fifo: string): { process: ChildProcess; text: Promise<string> } {
  const cat = spawn("cat", [fifo], { stdio: ["ignore", "pipe", "ignore"] });
  let text = "";
  cat.stdout.on("data", (bytes: Buffer) => (text += bytes.toString()));
  return { process: cat, text: once(cat, "close").then(() => text) };
}

const oneLine = /^ext4-conform: .*(cannot be written|is no regular file).*\n?$/;

async function isRefused(args: string[], path: string): Promise<void> {
  const { exitCode, stderr } = await conform([...args, path], { timeout: 600_000 });
  expect({ exitCode, stderr }).toEqual({
    exitCode: 64,
    stderr: expect.stringMatching(oneLine) as string,
  });
}

async function isWritten(args: string[]): Promise<void> {
  const { exitCode, stderr } = await conform(args, { timeout: 600_000 });
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
}

const expectText = (text: string): void => expect(text.length).toBeGreaterThan(20);

describe.skipIf(!root)("a place for an output (needs root: mknod and mount)", () => {
  beforeAll(async () => {
    makePlaces();
    fs.mkdirSync(join(folder, "tree"));
    const args = ["run", ...variant, "--cases", "3", "--seed", "1", "--shard", "1/1"];
    const made = await conform([...args, "--result", "shard.json"]);
    if (made.exitCode !== 0) throw new Error(made.stderr);
  });
  afterAll(() => {
    for (const path of mounts) execaSync("umount", [path]);
  });

  describe.each(Object.entries(files))("%s", (option, { args, name }) => {
    const place = (kind: string): string => {
      const path = join(folder, `${option.replaceAll(/\W+/g, "-")}-${kind}`);
      fs.mkdirSync(path);
      return join(path, name);
    };

    test.each(["null", "full"])("a device node: %s", async (device) => {
      const path = join(folder, "nodes", `${device}-${name}`, name);
      const { rdev } = fs.statSync(path);
      if (device === "full" || needsFile(option)) await isRefused(args, path);
      else await isWritten([...args, path]);
      expect(fs.lstatSync(path)).toMatchObject({ rdev });
      expect(fs.readdirSync(join(path, ".."))).toEqual([name]);
    });

    test("a FIFO, read by nobody and by somebody", async () => {
      const path = place("fifo");
      execaSync("mkfifo", [path]);
      await isRefused(args, path);
      if (!needsFile(option)) {
        const { text } = reads(path);
        // The command must find a reader: a moment after this both are there.
        await new Promise((resolve) => setTimeout(resolve, 500));
        await isWritten([...args, path]);
        expectText(await text);
      }
      expect(fs.lstatSync(path).isFIFO()).toBe(true);
    });

    test("a symbolic link, and standard output", async () => {
      if (option === "kernel build --out") return;
      const path = place("link");
      fs.symlinkSync("target", path);
      expect((await conform([...args, path])).exitCode).toBe(0);
      expect(fs.readlinkSync(path)).toBe("target");
      expect(fs.statSync(path).size).toBeGreaterThan(20);
      if (needsFile(option) || option === "explore --picture") return;
      const { stdout, stderr } = await conform([...args, "-"]);
      for (const line of stdout.split("\n").slice(0, 1)) expect(line).toMatch(/^\{/);
      expect(stdout).not.toMatch(/CONFORMS|RECORDED/);
      expect(stderr).toMatch(/CONFORMS|RECORDED/);
    });

    test("a folder, no folder, /proc, a full and a read-only file system", async () => {
      const path = place("folder");
      fs.mkdirSync(path);
      // Recordings of several variants go into a folder.
      if (option !== "trace record --out") await isRefused(args, path);
      await isRefused(args, `/proc/x/${name}`);
      await isRefused(args, join(folder, "full-disk", name));
      await isRefused(args, join(folder, "read-only", name));
      // These make it.
      if (!/picture|kernel build/.test(option)) await isRefused(args, join(folder, "none", name));
      expect(fs.readdirSync(join(folder, "full-disk"))).toEqual(["fill"]);
      expect(fs.readdirSync(join(folder, "read-only"))).toEqual(["there"]);
    });
  });

  test.each(Object.entries(folders))("%s, a folder", async (_, args) => {
    const fifo = join(folder, "a fifo");
    if (!fs.existsSync(fifo)) {
      execaSync("mkfifo", [fifo]);
      fs.symlinkSync("nowhere", join(folder, "astray"));
    }
    const nodes = join(folder, "nodes", "null-r.json", "r.json");
    const { rdev } = fs.statSync(nodes);
    for (const path of [
      nodes,
      fifo,
      "astray",
      "shard.json",
      "/proc/x/y",
      "full-disk",
      "read-only",
    ]) {
      await isRefused(args, path);
    }
    expect(fs.statSync(nodes).rdev).toBe(rdev);
    expect(fs.lstatSync(fifo).isFIFO()).toBe(true);
  });
});
