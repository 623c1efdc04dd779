import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UsageError } from "../case/failure.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { linesOf } from "./lines.ts";
import { headerV3 } from "./samples.ts";
import { partialName, sweepPartials } from "./partial.ts";
import { headerToWrite, TraceWriter } from "./write.ts";

let folder = "";
beforeAll(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "conform-write-"));
});
afterAll(() => fs.rmSync(folder, { recursive: true }));

async function linesIn(path: string): Promise<string[]> {
  const lines: string[] = [];
  for await (const { text } of linesOf(path, DEFAULT_LIMITS)) lines.push(text);
  return lines;
}

describe("a trace that is written", () => {
  test.each(["plain.jsonl", "packed.jsonl.br", "packed.jsonl.gz", "PACKED.JSONL.BR"])(
    "%s: line by line",
    async (name) => {
      const path = join(folder, name);
      const writer = new TraceWriter(path, false);
      const values = Array.from({ length: 3000 }, (_, i) => ({
        case: i,
        text: "x".repeat(i % 100),
      }));
      for (const value of values) await writer.write(value);
      expect(fs.existsSync(path)).toBe(false);
      await writer.end();
      await writer.close();
      expect(await linesIn(path)).toEqual(values.map((value) => JSON.stringify(value)));
      expect(fs.readdirSync(folder).filter((other) => other.includes("partial"))).toEqual([]);
      const packed = name !== "plain.jsonl";
      expect(fs.statSync(path).size < 50_000).toBe(packed);
    },
  );

  test("leaves nothing behind where it is given up", async () => {
    const before = fs.readdirSync(folder);
    const writer = new TraceWriter(join(folder, "given-up.jsonl.br"), false);
    await writer.write({ header: {} });
    await writer.close();
    expect(fs.readdirSync(folder)).toEqual(before);
  });

  test("does not replace a file, unless it is told to", async () => {
    const path = join(folder, "there");
    fs.writeFileSync(path, "mine");
    expect(() => new TraceWriter(path, false)).toThrow(UsageError);
    expect(() => new TraceWriter(path, false)).toThrow(/there: is there already; --force replaces/);
    const writer = new TraceWriter(path, true);
    await writer.write(1);
    expect(fs.readFileSync(path, "utf8")).toBe("mine");
    await writer.end();
    expect(fs.readFileSync(path, "utf8")).toBe("1\n");
  });

  test("nor one that somebody made meanwhile", async () => {
    const path = join(folder, "meanwhile");
    const writer = new TraceWriter(path, false);
    await writer.write(1);
    fs.writeFileSync(path, "mine");
    await expect(writer.end()).rejects.toThrow(/meanwhile: is there already/);
    await writer.close();
    expect(fs.readFileSync(path, "utf8")).toBe("mine");
  });

  test("never takes the place of a folder, nor that of a link", async () => {
    fs.mkdirSync(join(folder, "sub"));
    expect(() => new TraceWriter(join(folder, "sub"), true)).toThrow(/sub .*: it is a directory$/);
    fs.writeFileSync(join(folder, "led to"), "mine");
    fs.symlinkSync("led to", join(folder, "link"));
    expect(() => new TraceWriter(join(folder, "link"), false)).toThrow(/is there already/);
    const writer = new TraceWriter(join(folder, "link"), true);
    await writer.write(1);
    await writer.end();
    expect(fs.readlinkSync(join(folder, "link"))).toBe("led to");
    expect(fs.readFileSync(join(folder, "led to"), "utf8")).toBe("1\n");
  });

  test("a folder that is not there, in one line", () => {
    expect(() => new TraceWriter(join(folder, "none", "x.jsonl"), false)).toThrow(UsageError);
    expect(() => new TraceWriter(join(folder, "none", "x.jsonl"), false)).toThrow(
      /x\.jsonl cannot be written: there is no such file or directory$/,
    );
  });

  test.each([
    ["", /^"" cannot be written: it is no name of a file$/],
    ["none/", /none\/ cannot be written: it is no name of a file$/],
    ["there/x.jsonl", /there\/x\.jsonl cannot be written: a part of the path is no directory$/],
    ["loop/x.jsonl", /loop\/x\.jsonl cannot be written: its links lead nowhere$/],
    ["x".repeat(256), /x cannot be written: the name is too long$/],
    ["x.jsonl.zst", /x\.jsonl\.zst: \.zst is not known: a trace is packed as \.br or \.gz/],
  ])("to %j, in one line", (name, message) => {
    const at = fs.mkdtempSync(join(folder, "bad-"));
    fs.writeFileSync(join(at, "there"), "");
    fs.symlinkSync("loop", join(at, "loop"));
    const path = name === "" ? "" : `${at}/${name}`;
    expect(() => new TraceWriter(path, false)).toThrow(UsageError);
    expect(() => new TraceWriter(path, false)).toThrow(message);
    expect(fs.readdirSync(at).toSorted()).toEqual(["loop", "there"]);
  });

  test("into a folder that may not be looked into, in one line", () => {
    const at = fs.mkdtempSync(join(folder, "closed-"));
    fs.chmodSync(at, 0);
    const root = process.geteuid?.() === 0;
    try {
      if (root) process.seteuid?.(65534);
      expect(() => new TraceWriter(join(at, "x.jsonl"), false)).toThrow(
        /x\.jsonl cannot be written: permission denied$/,
      );
    } finally {
      if (root) process.seteuid?.(0);
      fs.chmodSync(at, 0o700);
    }
  });

  test("a name as long as may be", async () => {
    const path = join(folder, `${"\u00e4".repeat(124)}.jsonl`);
    const writer = new TraceWriter(path, false);
    await writer.end();
    expect(fs.statSync(path).size).toBe(0);
  });

  test("a line that nobody could read again is refused", async () => {
    const writer = new TraceWriter(join(folder, "long.jsonl"), false);
    await expect(writer.write("x".repeat(DEFAULT_LIMITS.lineBytes))).rejects.toThrow(
      /long\.jsonl: line 1 would exceed 16 MiB: record shorter cases \(--max-length\)$/,
    );
    await writer.close();
  });
});

/** When a process started, as its name of a file says it. */
function startOf(pid: number): string {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, "latin1");
  return stat.replace(/^.*\)/s, "").split(" ")[20] as string;
}

/** Another process, and what its recording would be called. */
async function otherProcess(): Promise<[process: ReturnType<typeof spawn>, name: string]> {
  const child = spawn("sleep", ["60"]);
  await once(child, "spawn");
  const own = `${process.pid}-${startOf(process.pid)}-`;
  const name = partialName("other.jsonl");
  expect(name).toContain(own);
  const pid = child.pid as number;
  return [child, name.replace(own, `${pid}-${startOf(pid)}-`)];
}

describe("a header that is written", () => {
  test("is one that check will read", () => {
    expect(headerToWrite(headerV3("1k-nodelalloc"))).toEqual(headerV3("1k-nodelalloc"));
  });

  test.each([
    [{ series: "x".repeat(1001) }, "header.series: is longer than 1000 characters"],
    [
      { variant: { ...headerV3().variant, blockSize: 1024 as const } },
      "header.config.blockSize: is not that of the variant",
    ],
    [
      { variant: { ...headerV3().variant, mountOptions: ["journal_path=/x"] } },
      "header.variant.mountOptions[0]: is not accepted from a file",
    ],
  ])("or is refused in one line, %#", (change, message) => {
    const header = { ...headerV3(), ...change };
    expect(() => headerToWrite(header)).toThrow(UsageError);
    expect(() => headerToWrite(header)).toThrow(`check would refuse the recording: ${message}`);
  });
});

describe.skipIf(!fs.existsSync("/proc/self/stat"))("what a killed recording left", () => {
  test("goes with the next one beside it, and not before its process", async () => {
    const at = fs.mkdtempSync(join(folder, "killed-"));
    const [child, name] = await otherProcess();
    fs.writeFileSync(join(at, name), "half");
    await new TraceWriter(join(at, "x.jsonl"), false).close();
    expect(fs.readdirSync(at)).toEqual([name]);
    child.kill("SIGKILL");
    await once(child, "exit");
    await new TraceWriter(join(at, "x.jsonl"), false).close();
    expect(fs.readdirSync(at)).toEqual([]);
  });

  test("another process with its pid is not its own; another boot is not judged", () => {
    const at = fs.mkdtempSync(join(folder, "pid-"));
    const own = partialName("x");
    const reused = own.replace(/-\d+-/, "-1-");
    const elsewhere = reused.replace(/-[0-9a-f]{8}\./, "-00000000.");
    const others = [own, elsewhere, ".x.0123abcd.partial", "x.partial", reused.slice(1)];
    for (const name of [...others, reused]) fs.writeFileSync(join(at, name), "");
    sweepPartials(at);
    expect(fs.readdirSync(at).toSorted()).toEqual(others.toSorted());
    fs.mkdirSync(join(at, reused));
    sweepPartials(at);
    expect(fs.existsSync(join(at, reused))).toBe(true);
  });

  test("a folder that cannot be read is none of its business", () => {
    expect(() => sweepPartials(join(folder, "none"))).not.toThrow();
  });
});
