import { mkdtempSync, mkdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UsageError } from "../case/failure.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import type { TraceLimits } from "./limits.ts";
import { linesOf } from "./lines.ts";
import type { Line } from "./lines.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "conform-lines-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function read(
  name: string,
  bytes: string | Uint8Array,
  limits: TraceLimits = DEFAULT_LIMITS,
): Promise<Line[]> {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  const lines: Line[] = [];
  for await (const line of linesOf(path, limits)) lines.push(line);
  return lines;
}

const ended = (text: string): Line => ({ text, ended: true });
const text = "one\ntwo\n";

describe("the lines of a file", () => {
  test.each([
    ["plain", text],
    ["packed.br", brotliCompressSync(text)],
    ["packed.gz", gzipSync(text)],
    ["PACKED.JSONL.BR", brotliCompressSync(text)],
    ["packed.Gz", gzipSync(text)],
    // As gzip and bgzip write it, and `cat a.gz b.gz`: RFC 1952 calls it one file.
    ["members.gz", Buffer.concat([gzipSync("one\n"), gzipSync("two\n")])],
  ])("%s", async (name, bytes) => {
    expect(await read(name, bytes)).toEqual([ended("one"), ended("two")]);
  });

  test("the last may lack its newline, and shows it", async () => {
    expect(await read("cut", "one\ntw")).toEqual([ended("one"), { text: "tw", ended: false }]);
  });

  test("empty ones count, an empty file has none", async () => {
    expect(await read("gaps", "\n\nx\n")).toEqual([ended(""), ended(""), ended("x")]);
    expect(await read("nothing", "")).toEqual([]);
  });

  test("a line may span many reads, and a read many lines", async () => {
    const lines = ["x".repeat(700_000), "\u00e4".repeat(300_000), ...Array(5000).fill("y")];
    const all = await read("long", `${lines.join("\n")}\n`);
    expect(all.map((line) => line.text)).toEqual(lines);
  });
});

describe("what cannot be read is refused in one line", () => {
  test.each([
    [
      "damaged.br",
      Buffer.from("not packed at all"),
      "is damaged, or not packed as its name says: ",
    ],
    [
      "damaged.gz",
      Buffer.from("not packed at all"),
      "is damaged, or not packed as its name says: ",
    ],
    ["cut.gz", gzipSync(text).subarray(0, 20), "is truncated: unpacking it ends in Z_BUF_ERROR"],
    [
      "cut.br",
      brotliCompressSync(text).subarray(0, 7),
      "is truncated: unpacking it ends in Z_BUF_E",
    ],
    [
      "twice.br",
      Buffer.concat([brotliCompressSync(text), brotliCompressSync(text)]),
      "is not packed as a whole: bytes follow after byte 12 of 24",
    ],
    [
      "more.br",
      Buffer.concat([brotliCompressSync(text), Buffer.alloc(1)]),
      "is not packed as a whole: bytes follow after byte 12 of 13",
    ],
    [
      "zeros.gz",
      Buffer.concat([gzipSync(text), Buffer.alloc(512)]),
      "is not packed as a whole: bytes follow after byte 28 of 540",
    ],
    [
      "words.gz",
      Buffer.concat([gzipSync(text), Buffer.from("more")]),
      "is damaged, or not packed as its name says: ",
    ],
    ["empty.br", "", "is empty"],
    ["empty.gz", "", "is empty"],
    ["bom", "\ufeff{}\n", "begins with a byte order mark (BOM); a trace is UTF-8 without one"],
    ["utf-16", Buffer.from("\ufeff{}\n", "utf16le"), "is UTF-16; a trace is UTF-8"],
    ["utf-16-without-bom", Buffer.from("{}\n", "utf16le"), "is UTF-16; a trace is UTF-8"],
    ["gzip.jsonl", gzipSync(text), "is packed with gzip, which its name must say at its end: .gz"],
    ["zstd", Buffer.from("28b52ffd2004", "hex"), "is packed with zstd; only .br and .gz are"],
    ["x.jsonl.zst", text, ".zst is not known: a trace is packed as .br or .gz, or not at all"],
    ["x.jsonl.XZ", text, ".XZ is not known: a trace is packed as"],
    [
      "brotli.jsonl",
      brotliCompressSync(Buffer.from("f0".repeat(20), "hex")),
      "line 1: is not UTF-8; if the file is packed, its name must end in .br or .gz",
    ],
    ["latin-1", Buffer.from("one\ngr\u00fcn\n", "latin1"), "line 2: is not UTF-8"],
    ["surrogate", Buffer.from("0aeda0800a", "hex"), "line 2: is not UTF-8"],
    ["cut-character", Buffer.from("7b7d0ae282", "hex"), "line 2: is not UTF-8"],
    ["packed-latin-1.gz", gzipSync(Buffer.from([0xe4, 0x0a])), "line 1: is not UTF-8"],
  ])("%s", async (name, bytes, message) => {
    await expect(read(name, bytes)).rejects.toThrow(UsageError);
    await expect(read(name, bytes)).rejects.toThrow(`${join(folder, name)}: ${message}`);
  });

  test("what is not there, and what is no file", async () => {
    const first = (path: string) => linesOf(join(folder, path), DEFAULT_LIMITS).next();
    await expect(linesOf("", DEFAULT_LIMITS).next()).rejects.toThrow(
      /^"": cannot be read: there is no such file or directory; a recording is expected/,
    );
    await expect(first("none")).rejects.toThrow(
      /none: cannot be read: there is no such file .*, as trace record writes it$/,
    );
    mkdirSync(join(folder, "sub"));
    await expect(first("sub")).rejects.toThrow(/sub: is not a regular file$/);
    await expect(linesOf("/dev/zero", DEFAULT_LIMITS).next()).rejects.toThrow(/not a regular file/);
  });
});

/** What is said of a file, and how much of it was in memory at most. */
async function refusal(name: string): Promise<[message: string, bytes: number]> {
  const before = process.memoryUsage();
  let message = "";
  try {
    for await (const _ of linesOf(join(folder, name), DEFAULT_LIMITS));
  } catch (error) {
    message = (error as Error).message;
  }
  const after = process.memoryUsage();
  return [message, after.rss - before.rss];
}

describe("no file takes more memory than the limits allow", () => {
  test("a gibibyte without a newline", async () => {
    const path = join(folder, "gibibyte");
    writeFileSync(path, "");
    truncateSync(path, 2 ** 30);
    const [message, bytes] = await refusal("gibibyte");
    rmSync(path);
    expect(message).toMatch(
      /gibibyte: line 1: is longer than 16 MiB, the limit \(see --max-line\)$/,
    );
    expect(bytes).toBeLessThan(100 * 2 ** 20);
  });

  test.each(["bomb.br", "bomb.gz"])("%s: a kilobyte that unpacks to much more", async (name) => {
    const bomb = Buffer.alloc(64 * 2 ** 20);
    const packed = name.endsWith(".br") ? brotliCompressSync(bomb) : gzipSync(bomb);
    writeFileSync(join(folder, name), packed);
    const [message, bytes] = await refusal(name);
    expect(message).toContain("line 1: is longer than 16 MiB");
    expect(bytes).toBeLessThan(100 * 2 ** 20);
  });

  test.each([
    ["brackets inside brackets", "[".repeat(1e6), "has brackets inside one another, more than 16"],
    ["empty lists", `[${"[],".repeat(2e5)}[]]`, "is hardly more than commas and brackets"],
    ["numbers", `[${"0,".repeat(2e5)}0]`, "is hardly more than commas and brackets"],
    [
      "steps",
      `[${'{"op":"fsync"},'.repeat(100_001)}{}]`,
      "has more than 100000 steps, the limit (see",
    ],
  ])("%s", async (name, line, message) => {
    // Their number only: the lines themselves would fill the screen.
    const number = read(name.replaceAll(" ", "-"), `\n${line}\n`).then(({ length }) => length);
    await expect(number).rejects.toThrow(`line 2: ${message}`);
  });

  test("brackets in a string are none", async () => {
    const line = `["${'[{\\"'.repeat(1e5)}"]`;
    const [first] = await read("quoted", `${line}\n`);
    expect(first?.text === line).toBe(true);
  });
});
