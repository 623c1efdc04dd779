import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { type Divergence, divergence, type DivergenceParts } from "../finding/divergence.ts";
import type { CutLook, Extent, ExtentState, Observation } from "../case/observation.ts";
import type { Operation } from "../operations/operation.ts";
import { report, stepsText, type ReportContext } from "./report.ts";
import { Timeline } from "../finding/timeline.ts";
import { printable, wantsColour } from "../text/terminal.ts";

const context: ReportContext = {
  variant: { name: "4k-delalloc", blockSize: 4096 },
  kernel: { release: "6.19.11-iomap-v2", path: "iomap" },
  seed: 271828,
  command: "ext4-conform replay properties/corpus/stale-delayed.json",
  colour: false,
};

function extents(...list: [lblk: number, len: number, state: ExtentState][]): Extent[] {
  return list.map(([lblk, len, state]) => ({ lblk, len, state }));
}

function observed(change: Partial<Observation>): Observation {
  return {
    result: 0,
    i_size: 0,
    st_blocks: 0,
    map: [],
    pieces: 0,
    reserved: 0,
    cache: undefined,
    read: undefined,
    ...change,
  };
}

function found(parts: Omit<DivergenceParts, "variant" | "step"> & { step?: number }): Divergence {
  return divergence({ variant: "4k-delalloc", step: parts.operations.length - 1, ...parts });
}

const stale = found({
  operations: [{ op: "pwrite", pos: 0, len: 16384, readable: 4096 }, { op: "fsync" }],
  kind: "map",
  expected: observed({ i_size: 4096, st_blocks: 8, map: extents([0, 1, "written"]) }),
  seen: observed({
    i_size: 4096,
    st_blocks: 32,
    map: extents([0, 1, "written"], [1, 3, "delayed"]),
    reserved: 3,
  }),
  message: "blocks 1-3 are delayed, expected hole",
});

const short = found({
  operations: [
    { op: "ftruncate", size: 12289 },
    { op: "pwrite", pos: 8192, len: 20480, readable: 5000 },
  ],
  kind: "result",
  expected: observed({
    result: 5000,
    i_size: 13192,
    st_blocks: 16,
    map: extents([2, 2, "delayed"]),
    reserved: 2,
  }),
  seen: observed({
    result: -14,
    i_size: 12289,
    st_blocks: 40,
    map: extents([2, 5, "delayed"]),
    reserved: 5,
  }),
  message: "the call returned -14 EFAULT, expected 5000",
});

const farApart = found({
  operations: Array.from({ length: 60 }, (_, i): Operation => ({
    op: "pwrite",
    pos: i * 8192,
    len: 4096,
    readable: 4096,
  })),
  step: 50,
  kind: "map",
  expected: observed({
    i_size: 2 ** 44 - 4096,
    st_blocks: 8000,
    map: extents(
      [0, 900, "written"],
      [900, 100, "unwritten"],
      [5000, 1, "delayed"],
      [2 ** 32 - 2, 1, "written"],
    ),
    reserved: 1,
  }),
  seen: observed({
    i_size: 2 ** 44 - 4096,
    st_blocks: 8008,
    map: extents(
      [0, 890, "written"],
      [890, 110, "unwritten"],
      [5000, 2, "delayed"],
      [2 ** 32 - 2, 1, "written"],
    ),
    reserved: 2,
  }),
  message: "blocks 890-899 are unwritten, expected written",
});

const scattered = found({
  operations: [{ op: "fsync" }],
  kind: "map",
  expected: observed({
    i_size: 400 * 4096,
    map: Array.from({ length: 200 }, (_, i) => ({ lblk: 2 * i, len: 1, state: "written" })),
  }),
  seen: observed({
    i_size: 400 * 4096,
    map: Array.from({ length: 200 }, (_, i) => ({
      lblk: 2 * i,
      len: 1,
      state: i === 150 ? "delayed" : "written",
    })),
  }),
  message: "block 300 is delayed, expected written",
});

const readBack = found({
  operations: [
    { op: "pwrite", pos: 0, len: 4096, readable: 4096 },
    { op: "pread", pos: 0, len: 4096 },
  ],
  kind: "read",
  expected: observed({
    result: 4096,
    i_size: 4096,
    map: extents([0, 1, "delayed"]),
    read: new Uint8Array(4096).fill(0xa5),
  }),
  seen: observed({
    result: 4096,
    i_size: 4096,
    map: extents([0, 1, "delayed"]),
    read: new Uint8Array(4096).fill(0xa5, 0, 512),
  }),
  message:
    "from byte 512 on the read has 00 00 00 00 00 00 00 00 (zero), expected a5 a5 a5 a5 a5 a5 a5 a5",
});

const cached = found({
  operations: [{ op: "pwrite", pos: 0, len: 4096, readable: 0 }],
  kind: "cache",
  expected: observed({ result: -14 }),
  seen: observed({
    result: -14,
    cache: [
      { lblk: 0, len: 1, state: "delayed" },
      { lblk: 1, len: 2 ** 32 - 2, state: "hole" },
    ],
  }),
  message: "the extent status cache says delayed for block 0, which is not so",
});

const e2fsck = found({
  operations: [{ op: "pwrite", pos: 0, len: 4096, readable: 4096 }, { op: "fsync" }],
  kind: "e2fsck",
  message: "e2fsck -fn found 2 problems",
  evidence: [
    "Pass 1: Checking inodes, blocks, and sizes",
    "Inode 12, i_blocks is 16, should be 8.  Fix? no",
    "\u001B[2Jnot a screen to be wiped",
  ],
});

const contract = found({
  operations: [{ op: "pwrite", pos: 0, len: 8192, readable: 4096 }],
  kind: "contract",
  seen: observed({
    result: 4096,
    i_size: 4096,
    st_blocks: 16,
    map: extents([0, 1, "delayed"]),
    reserved: 2,
  }),
  message:
    "2 blocks are reserved, 1 are delayed: reserved-is-delayed. As many blocks are reserved for delayed allocation as are delayed.",
});

const hang = found({
  operations: [{ op: "fsync" }],
  kind: "hang",
  message: "fsync() did not return within 10 s",
});

const left = (i_size: number, map: Extent[], bytes: Uint8Array): CutLook => ({
  commits: 1,
  file: { i_size, map, bytes },
  complaints: [],
});

const cut = found({
  operations: [
    { op: "pwrite", pos: 0, len: 8192, readable: 8192 },
    { op: "fsync" },
    { op: "power_cut" },
  ],
  step: 2,
  kind: "power-cut",
  expected: observed({
    i_size: 8192,
    map: extents([0, 2, "written"]),
    cut: left(8192, extents([0, 2, "written"]), new Uint8Array(8192).fill(0xa5)),
  }),
  seen: observed({
    i_size: 8192,
    map: extents([0, 2, "written"]),
    cut: left(
      8192,
      extents([0, 1, "written"], [1, 1, "unwritten"]),
      new Uint8Array(4096).fill(0xa5),
    ),
  }),
  message: "after a power cut: block 1 is unwritten, expected written",
});

const afterOthers: Divergence = {
  ...readBack,
  before: [
    { operations: [{ op: "pwrite", pos: 4096, len: 4096, readable: 4096 }] },
    {
      operations: [{ op: "fallocate", mode: "punch_hole", pos: 0, len: 100 }, { op: "fsync" }],
      kept: true,
    },
  ],
};

const goldens: [string, Divergence][] = [
  ["power-cut", cut],
  ["stale-delayed", stale],
  ["short-write", short],
  ["far-apart", farApart],
  ["scattered", scattered],
  ["read", readBack],
  ["cache", cached],
  ["e2fsck", e2fsck],
  ["contract", contract],
  ["hang", hang],
  ["after-others", afterOthers],
];

describe("the report", () => {
  test.each(goldens)("%s", async (name, one) => {
    await expect(report(one, context)).toMatchFileSnapshot(`goldens/report-${name}.txt`);
  });

  test("stale-delayed, in colour", async () => {
    const coloured = report(stale, { ...context, colour: true });
    await expect(coloured).toMatchFileSnapshot("goldens/report-stale-delayed-colour.txt");
  });

  test.each(goldens)("%s says the same in colour", (_, one) => {
    const coloured = report(one, { ...context, colour: true });
    expect(coloured).toContain("\u001B[");
    const text = stripVTControlCharacters(coloured).replaceAll(/ +$/gm, "");
    expect(text).toBe(report(one, context).replaceAll(/ +$/gm, ""));
  });

  test.each(goldens)("%s is ASCII, 100 columns wide, without spaces at the end", (_, one) => {
    for (const line of report(one, context).split("\n")) {
      expect(line).toMatch(/^[ -~]{0,100}$/);
      expect(line).not.toMatch(/ $/);
    }
  });

  test("goes without a seed", () => {
    expect(report(hang, { ...context, seed: undefined })).not.toContain("seed");
  });
});

/** The report of a page cache that differs, between what was expected and what was seen. */
function ofPages(expected: Partial<Observation>, seen: Partial<Observation>): string {
  const message = "of the file's pages are 1 cached, 1 dirty, expected 1 cached, 0 dirty";
  const both = { expected: observed(expected), seen: observed(seen) };
  return report(found({ operations: [{ op: "fsync" }], kind: "pages", ...both, message }), context);
}

test("the page cache has a row where the kernel tells and the model knows", () => {
  const [clean, dirty] = [
    { cached: 1, dirty: 0 },
    { cached: 1, dirty: 1 },
  ];
  const both = ofPages({ pages: clean }, { pages: dirty });
  expect(both).toMatch(/^! pages +1 cached, 0 dirty +1 cached, 1 dirty$/m);
  expect(both).toMatch(/^FAIL {2}model and kernel disagree on what is in the page cache$/m);
  expect(ofPages({}, { pages: dirty })).not.toMatch(/^. pages/m);
  expect(ofPages({ pages: clean }, {})).not.toMatch(/^. pages/m);
});

test("step by step, with both sides from where they part", async () => {
  const { operations } = stale;
  const timeline = new Timeline();
  const written = { i_size: 4096, st_blocks: 8, result: 4096, reserved: 1 };
  const first = observed({ ...written, map: extents([0, 1, "delayed"]) });
  timeline.saw(first, 0);
  timeline.expected(first, 0);
  timeline.saw(observed({ ...written, result: 0, map: extents([0, 1, "delayed"]) }), 1);
  timeline.expected(observed({ ...written, result: 0, map: extents([0, 1, "written"]) }), 1);
  const text = stepsText(timeline.steps, operations, 4096, false);
  await expect(text).toMatchFileSnapshot("goldens/steps.txt");
});

test("step by step, with what a power cut left", () => {
  const timeline = new Timeline();
  const bytes = new Uint8Array(4096).fill(0xab);
  const mounted = {
    i_size: 8192,
    st_blocks: 16,
    map: extents([0, 1, "written"], [1, 1, "delayed"]),
  };
  const seen = observed({ ...mounted, cut: left(4096, extents([0, 1, "written"]), bytes) });
  timeline.saw(seen, 0);
  timeline.expected(observed({ ...mounted, cut: left(0, [], new Uint8Array()) }), 0);
  const text = stepsText(timeline.steps, [{ op: "power_cut" }], 4096, false);
  expect(text).toMatch(/\n {2}seen {9}Wd\n[^]*\n {2}left by a power cut, once the journal/);
  expect(text).toMatch(/\n! i_size {7}0 {32}4096 {2}\(1 block\)\n/);
  expect(text).toMatch(/\n {2}expected {5}\.\n {2}seen {9}W\n/);
});

test("a timeline keeps as many of the last steps as a reader can follow", () => {
  const timeline = new Timeline();
  const scattered = extents(
    ...Array.from({ length: 900 }, (_, i) => [2 * i, 1, "written"] as [number, number, "written"]),
  );
  for (let step = 0; step < 50; step++) timeline.saw(observed({}), step);
  expect(timeline.steps.map(({ step }) => step)).toEqual([...Array(50).keys()].slice(10));
  for (let step = 50; step < 60; step++) timeline.saw(observed({ map: scattered }), step);
  expect(timeline.steps.map(({ step }) => step)).toEqual([56, 57, 58, 59]);
  timeline.saw(observed({}), 0);
  expect(timeline.steps.map(({ step }) => step)).toEqual([0]);
});

describe("the terminal", () => {
  test("colour only where it is wanted", () => {
    expect(wantsColour({ isTTY: true }, {})).toBe(true);
    expect(wantsColour({ isTTY: true }, { NO_COLOR: "" })).toBe(true);
    expect(wantsColour({ isTTY: true }, { NO_COLOR: "1" })).toBe(false);
    expect(wantsColour({ isTTY: true }, { TERM: "dumb" })).toBe(false);
    expect(wantsColour({}, {})).toBe(false);
  });

  test("control characters do not reach it", () => {
    expect(printable("a\u001B[2Jb\nc\u202Ed")).toBe("a?[2Jb?c?d");
  });
});
