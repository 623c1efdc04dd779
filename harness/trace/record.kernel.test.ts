/**
 * Recording the running kernel, and checking what was recorded: the command as a user meets it.
 */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { asNobody, cli, hiddenFromNobody, unwrapped } from "../host/built-command.ts";
import { machineLacks } from "../system/machine.ts";
import { leftBehind } from "../workers/traces-left.ts";
import { packageRoot } from "../host/package.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { linesOf } from "./lines.ts";

const lacks = machineLacks();
if (lacks !== undefined) console.warn(`SKIP: ${lacks.message}`);

let folder = "";

beforeAll(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "conform-record-"));
});
afterAll(() => fs.rmSync(folder, { recursive: true }));

function trace(args: readonly string[], options: object = {}) {
  return execa("node", [cli, "trace", ...args], { reject: false, cwd: folder, ...options });
}

async function linesIn(name: string): Promise<string[]> {
  const lines: string[] = [];
  for await (const { text } of linesOf(join(folder, name), DEFAULT_LIMITS)) lines.push(text);
  return lines;
}

/** Processes that a process has started. */
function childrenOf(pid: number): number[] {
  const children = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  return children.trim().split(" ").filter(Boolean).map(Number);
}

interface StepLine {
  operation?: unknown;
  seen: { i_size: number };
}

/** What was done in each step, without what was seen. */
function operationsIn(lines: readonly string[]): unknown[] {
  const parsed = lines.map((line) => JSON.parse(line) as StepLine);
  return parsed.flatMap(({ operation }) => (operation === undefined ? [] : [operation]));
}

/** The operations of a recording with this seed. */
async function recorded(out: string, seed: string): Promise<unknown[]> {
  await trace(["record", "--out", out, "--cases", "60", "--seed", seed]);
  return operationsIn(await linesIn(out));
}

/** What is printed before the line of the file, which says how fast it was. */
const reportIn = (out: string): string => out.slice(0, out.indexOf("\nDIVERGES"));

describe("usage", () => {
  test.each([
    ["check of nothing", ["check"], /missing required argument/],
    ["record to nowhere", ["record"], /required option '--out/],
    ["an unknown variant", ["record", "--out", "x", "--variant", "8k"], /no variant "8k"/],
    ["no number", ["record", "--out", "x", "--cases", "many"], /whole number/],
    ["a file that is there", ["record", "--out", "there"], /there: is there already; --force/],
    [
      "a folder that is not",
      ["record", "--out", "none/x"],
      /none\/x cannot be written: there is no such file or directory/,
    ],
    [
      "several recordings to standard output",
      ["record", "--out", "-", "--variant", "all"],
      /standard output takes the recording of one variant/,
    ],
    [
      "a file that is not",
      ["check", "none"],
      /^ext4-conform: none: cannot be read: there is no such file or directory; a recording is/m,
    ],
    ["both kinds of choice", ["check", "--strict", "--deviation", "x", "y"], /cannot be used with/],
    ["an unknown deviation", ["check", "--deviation", "x", "y"], /there is no deviation "x"/],
    ["an unknown verb", ["walk"], /unknown command 'walk'/],
  ])("%s", async (_, args, message) => {
    fs.writeFileSync(join(folder, "there"), "");
    const { exitCode, stderr } = await trace(args);
    expect(unwrapped(stderr)).toMatch(message);
    expect(exitCode).toBe(64);
  });

  test("check needs neither root nor a kernel", async ({ skip }) => {
    const hidden = await hiddenFromNobody();
    skip(hidden !== undefined, hidden);
    const folder = join(packageRoot, "properties", "traces");
    const file = join(folder, "buffer_head-6.12.delalloc.4096.jsonl.br");
    const { exitCode, stdout } = await trace(["check", file], asNobody);
    expect(unwrapped(stdout)).toMatch(/^agrees .* 400 cases, 3,472 of 3,472 steps compared, /);
    expect(exitCode).toBe(0);
  });
});

describe.skipIf(lacks !== undefined)("record", () => {
  test("several variants: what this kernel does is what the model says, and checks again", async () => {
    const variants = ["4k-delalloc", "1k-nodelalloc", "4k-data-journal", "4k-thin", "4k-full"];
    const args = ["--out", "several", "--variant", variants.join(","), "--cases", "60"];
    const made = await trace(["record", ...args, "--seed", "7"]);
    expect(
      unwrapped(made.stdout).match(/^RECORDED: 60 cases, [0-9,]+ steps in .*, seed 7; /gm),
    ).toHaveLength(5);
    expect(made.exitCode).toBe(0);
    const files = variants.map((name) => join("several", `${name}.jsonl.br`));
    expect(fs.readdirSync(join(folder, "several"))).toEqual(
      variants.map((name) => `${name}.jsonl.br`).toSorted(),
    );
    const [header] = await linesIn(files[0]!);
    expect(header).toMatch(/^\{"header":\{"version":3,/);
    const { exitCode, stdout } = await trace(["check", ...files]);
    expect(unwrapped(stdout)).toMatch(/^AGREES: the model with all 5 files.*; 300 cases, /m);
    expect(exitCode).toBe(0);
  });

  test("the same seed gives the same operations, and another others", async () => {
    const one = await recorded("one.jsonl", "7");
    expect(await recorded("again.jsonl.gz", "7")).toEqual(one);
    expect(await recorded("other.jsonl", "8")).not.toEqual(one);
    expect(one.length).toBeGreaterThan(200);
  });

  test("a divergence of a recorded kernel is found, and its command shows it again", async () => {
    const args = ["--out", "spoilt.jsonl", "--cases", "20", "--seed", "3"];
    await trace(["record", ...args]);
    const lines = await linesIn("spoilt.jsonl");
    const at = lines.findLastIndex((line) => line.startsWith('{"operation"'));
    const spoilt = JSON.parse(lines[at]!) as StepLine;
    spoilt.seen.i_size += 1;
    lines[at] = JSON.stringify(spoilt);
    fs.writeFileSync(join(folder, "spoilt.jsonl"), `${lines.join("\n")}\n`);
    const found = await trace(["check", "spoilt.jsonl"]);
    expect(found.exitCode).toBe(1);
    expect(found.stdout).toMatch(/^FAIL {2}model and kernel disagree on i_size$/m);
    const command = /^ {2}node \S+ trace (.*)$/m.exec(found.stdout)?.[1] ?? "";
    const again = await trace(command.split(" "));
    expect(again.exitCode).toBe(1);
    expect(reportIn(again.stdout)).toBe(reportIn(found.stdout));
  });

  test.each(["SIGINT", "SIGTERM"] as const)("nothing stays behind after %s", async (signal) => {
    const before = fs.readdirSync(folder);
    const run = trace(["record", "--out", `${signal}.jsonl.br`, "--cases", "1000000"]);
    const left = (): string[] => workers.flatMap((pid) => leftBehind(pid));
    let workers: number[] = [];
    const mounted = (): boolean => {
      workers = childrenOf(run.pid!);
      return left().some((one) => one.includes("/mnt"));
    };
    while (!mounted()) await new Promise((r) => setTimeout(r, 50));
    expect(fs.readdirSync(folder).length).toBe(before.length + 1);
    run.kill(signal);
    expect((await run).signal).toBe(signal);
    expect(left()).toEqual([]);
    expect(fs.readdirSync(folder)).toEqual(before);
  });

  test("a disk that is full, in one line", async () => {
    const small = join(folder, "small");
    fs.mkdirSync(small);
    await execa("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", small]);
    try {
      const { exitCode, stderr } = await trace(["record", "--out", "small/x.jsonl"]);
      expect(unwrapped(stderr)).toMatch(
        /^ext4-conform: small\/x\.jsonl: cannot be written: ENOSPC$/m,
      );
      expect(exitCode).toBe(64);
      expect(fs.readdirSync(small)).toEqual([]);
    } finally {
      await execa("umount", [small]);
    }
  });

  test("not root", async ({ skip }) => {
    const hidden = await hiddenFromNobody();
    skip(hidden !== undefined, hidden);
    const out = join(fs.mkdtempSync(join(folder, "open-")), "x.jsonl");
    fs.chmodSync(folder, 0o755);
    fs.chmodSync(join(out, ".."), 0o777);
    const { exitCode, stderr } = await trace(["record", "--out", out], asNobody);
    expect(unwrapped(stderr)).toMatch(/^SKIP: .*root/);
    expect(exitCode).toBe(4);
    expect(fs.readdirSync(join(out, ".."))).toEqual([]);
  });
});

const guest = process.env["EXT4_CONFORM_UML"] ?? "/usr/bin/linux.uml";
const lacksGuest = fs.existsSync(guest) ? undefined : `there is no user-mode Linux at ${guest}`;
if (lacksGuest !== undefined) console.warn(`SKIP: ${lacksGuest}; EXT4_CONFORM_UML may name one`);

describe.skipIf(lacksGuest !== undefined)("record in a guest", { timeout: 120_000 }, () => {
  test("several variants, without root, and the recordings can be read here", async ({ skip }) => {
    const hidden = await hiddenFromNobody();
    skip(hidden !== undefined, hidden);
    const out = fs.mkdtempSync(join(folder, "guest-"));
    fs.chmodSync(folder, 0o755);
    fs.chmodSync(out, 0o777);
    const args = ["--out", out, "--variant", "4k-delalloc,1k-nodelalloc", "--cases", "10"];
    const made = await trace(["record", "--kernel", guest, ...args, "--seed", "3"], asNobody);
    // A slow machine says how far it has come, every ten seconds.
    expect(made.stderr).toMatch(/^(?:\S+: \d+ cases?, \d+ steps\n?)*$/);
    expect(unwrapped(made.stdout).match(/^RECORDED: 10 cases, /gm)).toHaveLength(2);
    expect(made.exitCode).toBe(0);
    const files = fs.readdirSync(out).map((name) => join(out, name));
    expect(files).toHaveLength(2);
    // The distribution's is older than any that the model is held against.
    const { stdout, exitCode } = await trace(["check", ...files]);
    expect(unwrapped(stdout)).toMatch(/: 20 cases|; 20 cases/);
    expect([0, 1]).toContain(exitCode);
  });

  test("nothing stays behind after SIGTERM", async () => {
    const before = fs.readdirSync(folder);
    const args = ["--out", "guest.jsonl.br", "--cases", "1000000"];
    const run = trace(["record", "--kernel", guest, ...args]);
    const recording = (): boolean => fs.readdirSync(folder).length > before.length;
    while (!recording()) await new Promise((r) => setTimeout(r, 50));
    await new Promise((r) => setTimeout(r, 1000));
    run.kill("SIGTERM");
    expect((await run).signal).toBe("SIGTERM");
    expect(fs.readdirSync(folder)).toEqual(before);
    await expect.poll(() => leftBehind(run.pid)).toEqual([]);
  });
});
