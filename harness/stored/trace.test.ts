import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UsageError } from "../failure.ts";
import { parseTrace, readTrace } from "./trace.ts";
import type { TraceCase } from "./trace.ts";

const header = JSON.stringify({
  header: {
    kernel: "6.18.44",
    series: "none",
    path: "buffer_head",
    mount: "delalloc",
    blockSize: 4096,
    pageSize: 4096,
    seed: 101,
  },
});

/** A step that was recorded with nothing to see. */
const empty = { ret: 0, errno: 0, size: 0, blocks512: 0, delalloc: 0, fiemap: [], es: [] };

const write = { op: "pwrite", offset: 0, length: 8192, readable: 4096, ...empty, ret: 4096 };

function line(...steps: unknown[]): string {
  return JSON.stringify({ case: 7, steps });
}

async function collect<T>(from: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const one of from) all.push(one);
  return all;
}

async function casesOf(lines: string[]): Promise<TraceCase[]> {
  const { cases } = await parseTrace(lines, "t.jsonl");
  return collect(cases);
}

/** The only step of the only case of a trace. */
async function one(step: unknown) {
  const [first] = await casesOf([header, line(step)]);
  return { operation: first!.operations[0], observation: first!.observations[0] };
}

async function messageOf(lines: string[]): Promise<string> {
  try {
    await casesOf(lines);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return "nothing was wrong";
}

describe("a trace", () => {
  test("has a header and numbered cases", async () => {
    const trace = await parseTrace([header, line(write), line()], "t.jsonl");
    expect(trace.header).toEqual((JSON.parse(header) as { header: unknown }).header);
    const cases = await collect(trace.cases);
    expect(cases.map(({ number, operations }) => [number, operations.length])).toEqual([
      [7, 1],
      [7, 0],
    ]);
  });

  test("is read a case at a time", async () => {
    let read = 0;
    const lines = (function* () {
      for (const text of [header, line(write), "not JSON"]) {
        read += 1;
        yield text;
      }
    })();
    const { cases } = await parseTrace(lines, "t.jsonl");
    expect(read).toBe(1);
    for await (const { number } of cases) {
      expect(number).toBe(7);
      break;
    }
    expect(read).toBe(2);
  });

  test.each([
    [write, { op: "pwrite", pos: 0, len: 8192, readable: 4096 }],
    [
      { op: "pread", offset: 5, length: 6, ...empty },
      { op: "pread", pos: 5, len: 6 },
    ],
    [{ op: "fsync", ...empty }, { op: "fsync" }],
    [
      { op: "ftruncate", ...empty, size: 9 },
      { op: "ftruncate", size: 9 },
    ],
    [
      { op: "fallocate", mode: 17, offset: 1, length: 2, ...empty },
      { op: "fallocate", mode: "zero_range_keep_size", pos: 1, len: 2 },
    ],
    [
      { op: "mmapwrite", offset: 1, length: 2, ...empty, size: 3 },
      { op: "mmap_write", pos: 1, len: 2 },
    ],
    [
      { op: "mmapwrite", offset: 4, length: 0, ...empty, size: 3 },
      { op: "mmap_write", pos: 4, len: 1 },
    ],
  ])("%j is %j", async (step, operation) => {
    expect((await one(step)).operation).toEqual(operation);
  });

  test("gives observations in this tool's words, merged by state", async () => {
    const step = {
      ...write,
      ret: -1,
      errno: 14,
      size: 4096,
      blocks512: 32,
      delalloc: 2,
      fiemap: [
        [0, 1, "written"],
        [1, 2, "delalloc"],
        [4, 1, "unwritten"],
      ],
      es: [
        [1, 1, "delalloc"],
        [2, 1, "delalloc"],
        [3, 1, "hole"],
      ],
    };
    expect((await one(step)).observation).toEqual({
      result: -14,
      i_size: 4096,
      st_blocks: 32,
      map: [
        { lblk: 0, len: 1, state: "written" },
        { lblk: 1, len: 2, state: "delayed" },
        { lblk: 4, len: 1, state: "unwritten" },
      ],
      pieces: 3,
      reserved: 2,
      cache: [
        { lblk: 1, len: 2, state: "delayed" },
        { lblk: 3, len: 1, state: "hole" },
      ],
      read: undefined,
    });
  });

  test("a store through a mapping returns 0, however much it stored", async () => {
    const step = { op: "mmapwrite", offset: 0, length: 2, ...empty, size: 3, ret: 2 };
    expect((await one(step)).observation!.result).toBe(0);
  });
});

describe("a trace that cannot be read", () => {
  test.each([
    ["nothing", [], "line 1: the file is empty"],
    ["no JSON", [header, line(write), "{"], "line 3: is not JSON"],
    ["no header", [line(write)], "line 1: header: expected object, received undefined"],
    ["a case as header", [header, header], "line 2: case: expected number, received undefined"],
    [
      "an unknown operation",
      [header, line(write, { ...empty, op: "fork" })],
      "line 2: steps[1].op: ",
    ],
    [
      "a missing field",
      [header, line({ ...write, size: undefined })],
      "line 2: steps[0].size: expected number, received undefined",
    ],
    [
      "a state that is none",
      [header, line({ ...write, fiemap: [[0, 1, "lost"]] })],
      "line 2: steps[0].fiemap[0][2]: ",
    ],
    [
      "extents that overlap",
      [
        header,
        line({
          ...write,
          es: [
            [0, 2, "written"],
            [1, 1, "hole"],
          ],
        }),
      ],
      "line 2: steps[0].es: is not sorted, or overlaps",
    ],
    [
      "more to read than to write",
      [header, line({ ...write, readable: 8193 })],
      "line 2: steps[0].readable: exceeds length",
    ],
    [
      "a failure without a reason",
      [header, line({ ...write, ret: -1 })],
      "line 2: steps[0].errno: is 0, but ret is negative",
    ],
    [
      "a mode that nobody knows",
      [header, line({ op: "fallocate", mode: 2, offset: 0, length: 1, ...empty })],
      "line 2: steps[0].mode: is no mode that is known here",
    ],
    [
      "an empty store inside the file",
      [header, line({ op: "mmapwrite", offset: 0, length: 0, ...empty, size: 1 })],
      "line 2: steps[0].length: is 0 inside the file",
    ],
    [
      "a kernel that is no version",
      [header.replace("6.18.44", "new"), line(write)],
      "line 1: header.kernel: is not a version",
    ],
  ])("%s: the message says where", async (_, lines, message) => {
    expect(await messageOf(lines)).toContain(`t.jsonl: ${message}`);
  });
});

describe("a trace file", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "conform-trace-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const text = [header, line(write), line({ ...write, offset: 1 })].join("\n");

  async function read(name: string, bytes: string | Buffer): Promise<TraceCase[]> {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return collect((await readTrace(path)).cases);
  }

  test.each([
    ["plain.jsonl", text],
    ["newline.jsonl", `${text}\n`],
    ["packed.jsonl.br", brotliCompressSync(text)],
    ["packed.jsonl.gz", gzipSync(`${text}\n`)],
  ])("%s is read whole", async (name, bytes) => {
    const positions = (await read(name, bytes)).map(({ operations: [o] }) => o);
    expect(positions).toEqual([
      { op: "pwrite", pos: 0, len: 8192, readable: 4096 },
      { op: "pwrite", pos: 1, len: 8192, readable: 4096 },
    ]);
  });

  test.each([
    ["damaged.jsonl.br", Buffer.from("not packed at all")],
    ["damaged.jsonl.gz", Buffer.from("not packed at all")],
    ["cut.jsonl.gz", gzipSync(text).subarray(0, 60)],
  ])("%s is refused in one line that names it", async (name, bytes) => {
    await expect(read(name, bytes)).rejects.toThrow(UsageError);
    await expect(read(name, bytes)).rejects.toThrow(
      new RegExp(`${name}: cannot be read: [A-Z_0-9]+$`),
    );
  });

  test("one that is not there is refused too", async () => {
    await expect(readTrace(join(folder, "none.jsonl"))).rejects.toThrow(
      /none\.jsonl: cannot be read: ENOENT/,
    );
  });
});
