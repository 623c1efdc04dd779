import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UsageError } from "../failure.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { linesOf } from "./lines.ts";
import { TraceWriter } from "./write.ts";

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
  test.each(["plain.jsonl", "packed.jsonl.br", "packed.jsonl.gz"])(
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

  test("never takes the place of what is no file, nor follows a link", () => {
    fs.mkdirSync(join(folder, "sub"));
    fs.symlinkSync(join(folder, "there"), join(folder, "link"));
    for (const name of ["sub", "link", "/dev/null"]) {
      expect(() => new TraceWriter(name.startsWith("/") ? name : join(folder, name), true)).toThrow(
        /is there and is not a regular file$/,
      );
    }
  });

  test("a folder that is not there, in one line", () => {
    expect(() => new TraceWriter(join(folder, "none", "x.jsonl"), false)).toThrow(UsageError);
    expect(() => new TraceWriter(join(folder, "none", "x.jsonl"), false)).toThrow(
      /x\.jsonl: cannot be written: ENOENT$/,
    );
  });

  test("a line that nobody could read again is refused", async () => {
    const writer = new TraceWriter(join(folder, "long.jsonl"), false);
    await expect(writer.write("x".repeat(DEFAULT_LIMITS.lineBytes))).rejects.toThrow(
      /long\.jsonl: line 1 would exceed 16 MiB: record shorter cases \(--max-length\)$/,
    );
    await writer.close();
  });
});
