import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import * as tmp from "tmp";
import { afterAll, describe, expect, test } from "vitest";
import { variants } from "../../images/variants.ts";
import { pattern } from "../../model/include/pattern.ts";
import { storedObservation } from "../case/stored-observation.ts";
import { generatedCases } from "../run/chunk.ts";
import { UsageError } from "../case/failure.ts";
import type { Line } from "./lines.ts";
import { parseTrace, readTrace } from "./read.ts";
import type { TraceCase } from "./read.ts";
import { asLines, headerV1, headerV2, headerV3, stepsOf, traceLines } from "./samples.ts";

/** A step that was recorded with nothing to see. */
const empty = { ret: 0, errno: 0, size: 0, blocks512: 0, delalloc: 0, fiemap: [], es: [] };

const write = { op: "pwrite", offset: 0, length: 8192, readable: 4096, ...empty, ret: 4096 };
const fsync = { op: "fsync", ...empty };

async function collect(lines: Line[]): Promise<TraceCase[]> {
  const { cases } = await parseTrace(lines, "t.jsonl");
  const all: TraceCase[] = [];
  for await (const one of cases) all.push(one);
  return all;
}

/** What is said about lines that are no trace. */
async function messageOf(lines: Line[]): Promise<string> {
  try {
    await collect(lines);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return "nothing was wrong";
}

/** Version 1 with these steps as its only case. */
const v1 = (...steps: unknown[]): string[] => traceLines(headerV1, [steps]);
const v1Header = v1()[0] as string;

/** Version 2 with a case of three operations. */
const sha256 = "cd00e292c5970d3c5e2f0ffa5171e555bc46bfc4faddfb4a418b6840b86e79a3";
const two = { errno: 0, size: 5000, blocks512: 16, delalloc: 2, pieces: 1, breaks: [] };
const reserved = { ...two, fiemap: [[0, 2, "delalloc"]] };
const v2Steps: object[] = [
  { op: "pwrite", offset: 0, length: 5000, readable: 5000, ret: 5000, ...reserved },
  { op: "pread", offset: 0, length: 100, ret: 100, ...reserved, sha256 },
  { op: "ftruncate", length: 10, ret: 0, ...two, size: 10, fiemap: [[0, 1, "delalloc"]] },
];
const v2 = traceLines(headerV2(), [v2Steps]);

/** `v2` with fields of one of its steps replaced. */
function v2With(index: number, change: object): string[] {
  const steps = v2Steps.map((step, i) => (i === index ? { ...step, ...change } : step));
  return traceLines(headerV2(), [steps]);
}

/** `v2` with fields of its header replaced. */
function v2Header(change: object): string[] {
  return [JSON.stringify({ header: { ...headerV2(), ...change } }), ...v2.slice(1)];
}

/** The only step of the only case of a trace. */
async function one(step: unknown) {
  const [first] = await collect(asLines(v1(step)));
  return { operation: first!.operations[0], observation: first!.observations[0] };
}

describe("version 1", () => {
  test("needs no version in its header", async () => {
    const { version, ...old } = headerV1;
    const trace = await parseTrace(asLines([JSON.stringify({ header: old })]), "t.jsonl");
    expect(trace.header).toEqual({ version, ...old });
  });

  test("has numbered cases", async () => {
    const numbered = [0, 1].map((n) => JSON.stringify({ case: n, steps: n === 0 ? [write] : [] }));
    const cases = await collect(asLines([v1Header, ...numbered]));
    expect(cases.map(({ number, line, operations }) => [number, line, operations.length])).toEqual([
      [0, 2, 1],
      [1, 3, 0],
    ]);
  });

  test.each([
    [write, { op: "pwrite", pos: 0, len: 8192, readable: 4096 }],
    [
      { op: "pread", offset: 5, length: 6, ...empty },
      { op: "pread", pos: 5, len: 6 },
    ],
    [fsync, { op: "fsync" }],
    [{ ...fsync, op: "drop_cache" }, { op: "drop_cache" }],
    [
      { op: "sync_file_range", offset: 1, length: 2, ...empty },
      { op: "sync_file_range", pos: 1, len: 2 },
    ],
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

describe("version 2", () => {
  test("keeps the argument of a truncation that failed, and digests of what was read", async () => {
    const failed = v2With(2, { length: 999, ret: -1, errno: 27 });
    const [recorded] = await collect(asLines(failed));
    expect(recorded!.operations[2]).toEqual({ op: "ftruncate", size: 999 });
    expect(recorded!.digests.map((digest) => digest?.length)).toEqual([undefined, 64, undefined]);
  });

  test("a look may be at some blocks only, but not the last of a case", async () => {
    const [recorded] = await collect(
      asLines(
        v2With(0, {
          windows: [
            [0, 3],
            [9, null],
          ],
        }),
      ),
    );
    expect(recorded!.observations[0]!.windows).toEqual([
      { lblk: 0, end: 3 },
      { lblk: 9, end: Infinity },
    ]);
    expect(await messageOf(asLines(v2With(2, { windows: [[0, 3]] })))).toMatch(
      /steps\[2\]\.windows: is there, but the last look/,
    );
  });
});

/** Version 3 with the same case. */
const v3Steps = stepsOf(headerV3(), [
  { op: "pwrite", pos: 0, len: 5000, readable: 5000 },
  { op: "pread", pos: 0, len: 100 },
  { op: "ftruncate", size: 10 },
]);
const v3 = traceLines(headerV3(), [v3Steps]);

/** `v3` with fields of what was seen after one of its steps replaced. */
function v3With(index: number, change: object): string[] {
  const steps = v3Steps.map((step, i) =>
    i === index ? { ...step, seen: { ...step.seen, ...change } } : step,
  );
  return traceLines(headerV3(), [steps]);
}

const parsed = (texts: readonly string[]): unknown[] => texts.map((text) => JSON.parse(text));

describe("version 3", () => {
  test("holds any case without loss", async () => {
    const header = headerV3();
    const all = generatedCases({ variant: variants[0]!, maxLength: 30, powerCuts: 100 });
    const cases = fc.array(all, { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(cases, async (lists) => {
        const lines = traceLines(
          header,
          lists.map((list) => stepsOf(header, list)),
        );
        const read = await collect(asLines(lines));
        expect(read.map(({ operations }) => operations)).toEqual(lists);
        const again = read.map(({ operations, observations }) =>
          operations.map((operation, i) => ({
            operation,
            seen: storedObservation(observations[i]!),
          })),
        );
        // The schema of an operation has its operands in its own order.
        expect(parsed(traceLines(header, again))).toEqual(parsed(lines));
      }),
      { numRuns: 100 },
    );
  });

  test("has the bytes that were read, and says where each case begins", async () => {
    const [first] = await collect(asLines(v3));
    expect(first).toMatchObject({ number: 0, line: 2 });
    expect(first!.observations[1]!.read).toEqual(pattern(0).subarray(-5000, -4900));
  });

  test("a look may be at some blocks only, but not the last of a case", async () => {
    const windows = [
      [0, 3],
      [9, null],
    ];
    const [recorded] = await collect(asLines(v3With(0, { windows })));
    expect(recorded!.observations[0]!.windows).toEqual([
      { lblk: 0, end: 3 },
      { lblk: 9, end: Infinity },
    ]);
    expect(await messageOf(asLines(v3With(2, { windows })))).toMatch(
      /line 6: seen\.windows: in the line before: the last look of a case/,
    );
  });
});

describe("where blocks may break", () => {
  const fiemap = [
    [0, 2, "written"],
    [2, 2, "unwritten"],
    [4, 1, "delalloc"],
    [5, 3, "written"],
    [9, 3, "written"],
  ];
  test("behind allocated blocks, whatever their state", async () => {
    const [recorded] = await collect(asLines(v2With(0, { fiemap, breaks: [1, 2, 3, 6, 7, 11] })));
    expect(recorded!.observations[0]!.breaks).toEqual([1, 2, 3, 6, 7, 11]);
  });

  test.each([0, 4, 5, 8, 9, 12])("not at block %i", async (at) => {
    expect(
      await messageOf(asLines(v2With(0, { fiemap, breaks: [1, at].slice(at > 1 ? 0 : 1) }))),
    ).toContain(`${at} is no allocated block behind another in fiemap`);
  });
});

test("a variant need not say what it is for", async () => {
  const { purpose, byDefault, ...variant } = headerV2().variant;
  const { header } = await parseTrace(asLines(v2Header({ variant })), "t.jsonl");
  expect(purpose !== "" && byDefault).toBe(true);
  expect(header).toMatchObject({ variant: { ...variant, purpose: "", byDefault: false } });
});

test("when the journal commits by itself changes nothing", async () => {
  const { config } = await parseTrace(asLines(v2Header({ mount: "commit=86400" })), "t.jsonl");
  expect(config).toEqual((await parseTrace(asLines(v2), "t.jsonl")).config);
});

describe("what is guessed is said", () => {
  test.each([
    [{ kernel: "5.10.1" }, "kernel 5.10.1 is older than the oldest known, and taken for 6.12"],
    [{ kernel: "6.11" }, "kernel 6.11 is older than the oldest known, and taken for 6.12"],
    [{ kernel: "6.12" }, undefined],
    [{ kernel: "7.3.9" }, undefined],
    [{ kernel: "7.4-rc1" }, "kernel 7.4-rc1 is newer than the newest known, and taken for 7.3"],
    [{ kernel: "10.0" }, "kernel 10.0 is newer than the newest known, and taken for 7.3"],
    [{ path: "iomap", series: "v1, changed", kernel: "5.0" }, undefined],
    [{ path: "iomap", series: "v2" }, undefined],
    [{ path: "iomap", series: "7.4 development tree" }, undefined],
    [
      { path: "iomap", series: "v10" },
      'series "v10" begins with none of v1, v2 and 7.4, and is taken for v2',
    ],
  ] as const)("version 1, %j: %s", async (change, guessed) => {
    const header = JSON.stringify({ header: { ...headerV1, ...change } });
    expect((await parseTrace(asLines([header]), "t.jsonl")).guessed).toBe(guessed);
  });

  test.each([
    [{ kernel: "9.9" }, undefined],
    [
      { kernel: "9.9", mmapReadAround: 32 },
      "kernel 9.9 is newer than the newest known, and taken for 7.3",
    ],
    [
      { path: "iomap", series: "rfc" },
      'series "rfc" begins with none of v1, v2 and 7.4, and is taken for v2',
    ],
  ] as const)("version 2, %j: %s", async (change, guessed) => {
    expect((await parseTrace(asLines(v2Header(change)), "t.jsonl")).guessed).toBe(guessed);
  });
});

test("a case is read when it is asked for", async () => {
  let read = 0;
  const lines = (function* () {
    for (const line of asLines([v1Header, v1(write)[1]!, "not JSON"])) {
      read += 1;
      yield line;
    }
  })();
  const { cases } = await parseTrace(lines, "t.jsonl");
  expect(read).toBe(1);
  for await (const { number } of cases) {
    expect(number).toBe(0);
    break;
  }
  expect(read).toBe(2);
});

/** 2 ** 70 as JSON writes it, which is no number that is held without loss. */
const HUGE = 2 ** 70;

const badSteps: [string, unknown, string][] = [
  ["an unknown operation", { ...empty, op: "fork" }, 'op: there is no operation "fork"'],
  ["no operation", empty, "op: is missing"],
  ["a number for a step", 5, ": 5 is no step"],
  ["null for a step", null, ": null is no step"],
  ["a list for a step", [fsync], ".op: is missing"],
  ["a missing field", { ...write, size: undefined }, ".size: is missing"],
  ["null for a number", { ...write, size: null }, ".size: null is no whole number from 0 to"],
  ["a number as a string", { ...write, offset: "0" }, '.offset: "0" is no whole number'],
  ["a fraction", { ...write, length: 0.5 }, ".length: 0.5 is no whole number from 1"],
  ["a negative size", { ...write, size: -4096 }, ".size: -4096 is no whole number from 0"],
  ["an offset past 2^60", { ...write, offset: HUGE }, `.offset: ${HUGE} is no whole number from 0`],
  ["a length of 0", { ...write, length: 0 }, ".length: 0 is no whole number from 1"],
  ["a length of 1 TiB", { ...write, length: 2 ** 40 }, ".length: 1099511627776 is no whole"],
  ["an unknown field", { ...write, extra: 1 }, ".extra: pwrite has no such field"],
  ["a field of another operation", { ...fsync, offset: 0 }, ".offset: fsync has no such field"],
  ["a field of version 2", { ...fsync, pieces: 0 }, ".pieces: fsync has no such field"],
  ["more to read than to write", { ...write, readable: 8193 }, ".readable: exceeds length"],
  ["a failure without a reason", { ...write, ret: -1 }, ".errno: is 0, but ret is negative"],
  ["a success with one", { ...write, errno: 5 }, ".errno: is not 0, but ret is not negative"],
  ["an unknown mode", { op: "fallocate", mode: 2, ...empty }, ".mode: 2 is none of the modes 0, 1"],
  [
    "an empty store inside the file",
    { op: "mmapwrite", offset: 0, length: 0, ...empty, size: 1 },
    ".length: is 0 inside the file",
  ],
  ["a map that is no list", { ...write, fiemap: {} }, ".fiemap: is no list"],
  ["an extent that is none", { ...write, fiemap: [[0, 1]] }, ".fiemap[0]: is not [first, blocks"],
  [
    "a state that is none",
    { ...write, fiemap: [[0, 1, "lost"]] },
    '.fiemap[0][2]: "lost" is none of delalloc, unwritten, written',
  ],
  ["a hole in the map", { ...write, fiemap: [[0, 1, "hole"]] }, '.fiemap[0][2]: "hole" is none'],
  ["an extent of no block", { ...write, fiemap: [[3, 0, "written"]] }, ".fiemap[0][1]: 0 is no"],
  [
    "extents that overlap",
    {
      ...write,
      es: [
        [0, 2, "written"],
        [1, 1, "hole"],
      ],
    },
    ".es: is not sorted, or overlaps",
  ],
  [
    "an extent past the last block",
    { ...write, es: [[1, 2 ** 32 - 1, "hole"]] },
    ".es: ends past block 4294967295",
  ],
];

/** A header of version 2 that does not say so. */
const v1Header2 = [JSON.stringify({ header: { ...headerV2(), version: undefined } })];

const badV1: [string, string[], string][] = [
  ["nothing at all", [], "t.jsonl: is empty"],
  ["no header", [v1(write)[1]!], "line 1: header: is missing: the first line"],
  ["a header twice", [v1Header, v1Header], "line 2: header: a trace has one, in line 1"],
  ["an empty line", [v1Header, ""], "line 2: is empty"],
  ["no JSON", [...v1(write), "{"], "line 3: is not JSON"],
  [
    "binary garbage",
    ["\u0000\u0001\ufffd[31m"],
    "line 1: is not JSON; if the file is packed, its name must end in .br or .gz",
  ],
  ["a list for a line", [v1Header, "[1]"], "line 2: is a list, not a JSON object"],
  ["a number for a header", ['{"header":1}'], "line 1: header: 1 is no object"],
  ["a number for a case", [v1Header, "17"], "line 2: is 17, not a JSON object"],
  ["steps that are none", [v1Header, '{"case":0,"steps":{}}'], "line 2: steps: is no list"],
  ["no steps", [v1Header, '{"case":0}'], "line 2: steps: is missing"],
  ["no number", [v1Header, '{"steps":[]}'], "line 2: case: is missing"],
  ["a number as a string", [v1Header, '{"case":"0","steps":[]}'], 'line 2: case: "0" is no whole'],
  ["a negative case", [v1Header, '{"case":-1,"steps":[]}'], "line 2: case: -1 is no whole number"],
  ["a case twice", [...v1(write), v1(write)[1]!], "line 3: case: is 0 after 0"],
  [
    "cases in disorder",
    [v1Header, '{"case":0,"steps":[]}', '{"case":1,"steps":[]}', '{"case":0,"steps":[]}'],
    "line 4: case: is 0 after 1: the numbers of cases must rise",
  ],
  [
    "a first line that was lost",
    [v1Header, '{"case":1,"steps":[]}'],
    "line 2: case: is 1, not 0: a line is missing before it",
  ],
  [
    "lines in the middle that were lost",
    [v1Header, '{"case":0,"steps":[]}', '{"case":3,"steps":[]}'],
    "line 3: case: is 3, not 1: a line is missing before it",
  ],
  [
    "a field of the header twice",
    [v1Header.replace('"path":', '"seed":7,"path":'), ...v1(write).slice(1)],
    "seed: is there twice",
  ],
  [
    "a case that has two numbers",
    [v1Header, '{"case":7,"case":0,"steps":[]}'],
    "line 2: column 11: case: is there twice",
  ],
  [
    "a field of a step twice",
    [v1Header, v1(write)[1]!.replace('"errno":0', '"errno":[{":":":"}],"errno":0')],
    "errno: is there twice",
  ],
  [
    "a field twice, once in other letters",
    [v1Header, v1(write)[1]!.replace('"errno":0', String.raw`"err\u006eo":5,"errno":0`)],
    "errno: is there twice",
  ],
  [
    "a field twice, one of them deeper than anybody walks",
    [
      v1Header,
      v1(write)[1]!.replace('"errno":0', `"errno":${"[".repeat(5e4)}${"]".repeat(5e4)},"errno":0`),
    ],
    "more than 16 deep",
  ],
  [
    "an unknown field of a case",
    [v1Header, '{"case":0,"steps":[],"x":1}'],
    "line 2: x: there is no such field",
  ],
  [
    "a name that a terminal would obey",
    [v1Header, '{"case":0,"steps":[],"\\u001b[2J":1}'],
    'line 2: "\\u001b[2J": there is no such field',
  ],
  [
    "__proto__ in a case",
    [v1Header, '{"case":0,"steps":[],"__proto__":{"steps":[]}}'],
    "line 2: __proto__: there is no such field",
  ],
  [
    "__proto__ in a step",
    [v1Header, v1(fsync)[1]!.replace('"op"', '"__proto__":{"op":"fsync"},"op"')],
    "line 2: steps[0].__proto__: fsync has no such field",
  ],
  [
    "an operation out of __proto__",
    [v1Header, '{"case":0,"steps":[{"__proto__":{"op":"fsync"}}]}'],
    "line 2: steps[0].op: is missing",
  ],
  [
    "more than numbers hold",
    [v1Header, v1(write)[1]!.replace('"offset":0', '"offset":1e999')],
    "line 2: steps[0].offset: Infinity is no whole number",
  ],
  [
    "a version that is not known",
    ['{"header":{"version":4}}'],
    "line 1: header.version: is 4; known are 1, 2 and 3",
  ],
  [
    "a kernel that is no version",
    [v1Header.replace("6.18.44", "new")],
    "line 1: header.kernel: is not a version",
  ],
  [
    "a block size that ext4 has not",
    [v1Header.replace('"blockSize":4096', '"blockSize":512')],
    "line 1: header.blockSize: 512 is none of 1024, 2048, 4096",
  ],
  [
    "pages of 64 KiB",
    [v1Header.replace('"pageSize":4096', '"pageSize":65536')],
    "line 1: header.pageSize: is not 4096",
  ],
  [
    "a mount option of unknown effect",
    [v1Header.replace('"delalloc"', '"delalloc,dax"')],
    'line 1: header.mount: the model does not know the option "dax"',
  ],
  [
    "an unknown field of the header",
    [v1Header.replace('"seed"', '"sed":1,"seed"')],
    "line 1: header.sed: there is no such field",
  ],
  [
    "a missing field of the header",
    [v1Header.replace(/"seed":\d+,?/, "").replace(",}", "}")],
    "line 1: header.seed: is missing",
  ],
  [
    "fields of version 2 without one",
    v1Header2,
    "line 1: header.version: is missing; variant is a",
  ],
  ...(
    [
      ["path", "ext4", '"ext4" is none of buffer_head, iomap'],
      ["series", 1, "1 is no string"],
      ["series", "x".repeat(1001), "is longer than 1000 characters"],
      ["seed", 2 ** 31, "2147483648 is no whole number from -2147483648 to 2147483647"],
      ["seed", 0.5, "0.5 is no whole number from"],
      ["kernel", "6.1000", "is not a version"],
      ["pageSize", undefined, "is missing"],
      ["blockSize", "4096", '"4096" is none of 1024, 2048, 4096'],
    ] as const
  ).map(([name, value, message]): [string, string[], string] => [
    `a header whose ${name} is ${String(value).slice(0, 9)}`,
    [JSON.stringify({ header: { ...headerV1, [name]: value } })],
    `line 1: header.${name}: ${message}`,
  ]),
  ["an end in version 1", [...v1(write), '{"end":{"cases":1,"steps":1}}'], "line 3: case: is mis"],
];

const badV2: [string, string[], string][] = [
  ["no end", v2.slice(0, -1), 't.jsonl: is truncated: after line 2 the line {"end": ...} is missi'],
  ["a header alone", v2.slice(0, 1), "t.jsonl: is truncated: after line 1"],
  [
    "an end that says two things",
    [...v2.slice(0, -1), v2.at(-1)!.replace('"cases":', '"cases":9,"cases":')],
    "line 3: column 19: cases: is there twice",
  ],
  ["an end too early", [v2[0]!, v2[2]!], "line 2: end.cases: is 1, but there are 0 before it"],
  [
    "an end that counts other steps",
    v2.map((line) => line.replace('"steps":3}', '"steps":4}')),
    "line 3: end.steps: is 4, but there are 3 before it",
  ],
  ["more after the end", [...v2, v2[1]!], "line 4: nothing may follow the end"],
  ["two ends", [...v2, v2[2]!], "line 4: nothing may follow the end"],
  ["an end that is none", [v2[0]!, '{"end":{}}'], "line 2: end.cases: is missing"],
  ["no variant", v2Header({ variant: undefined }), "line 1: header.variant: is missing"],
  [
    "another block size than its variant's",
    v2Header({ blockSize: 1024 }),
    "header.blockSize: is not that of the variant",
  ],
  [
    "a trait that is none",
    v2Header({ traits: { ...headerV2().traits, zeroesGap: "never" } }),
    'line 1: header.traits.zeroesGap: "never" is none of before, after',
  ],
  [
    "negative free blocks",
    v2Header({ freeBlocks: -1 }),
    "line 1: header.freeBlocks: -1 is no whole",
  ],
  ...(
    [
      ["imageSize", 5, "5 is less than 1048576"],
      ["imageSize", 2 ** 40, "more than 4294967296 bytes are not accepted from a file"],
      ["imageSize", "big", '"big" is no whole number'],
      ["delalloc", 1, "1 is neither true nor false"],
      ["delalloc", false, "contradicts the mount options"],
      ["dioread", "lock", 'is "lock", which the mount options contradict'],
      ["dioread", "no", '"no" is none of nolock, lock'],
      ["name", "4K", '"4K" does not match '],
      ["mkfsOptions", {}, "an object is no list"],
      ["colour", 1, "there is no such field"],
    ] as const
  ).map(([name, value, message]): [string, string[], string] => [
    `a variant whose ${name} is ${JSON.stringify(value)}`,
    v2Header({ variant: { ...headerV2().variant, [name]: value } }),
    `line 1: header.variant.${name}: ${message}`,
  ]),
  [
    "a word of mkfs that could be a path",
    v2Header({ variant: { ...headerV2().variant, mkfsOptions: ["-O", "/dev/sda"] } }),
    "line 1: header.variant.mkfsOptions[1]: is not accepted from a file",
  ],
  [
    "a mount that is not the variant's",
    v2Header({ mount: "nodelalloc" }),
    'line 1: header.mount: is "nodelalloc", but variant.mountOptions are ""',
  ],
  [
    "a mount option of unknown effect, in both",
    v2Header({ mount: "noatime", variant: { ...headerV2().variant, mountOptions: ["noatime"] } }),
    'line 1: header.mount: the model does not know the option "noatime", only delalloc,',
  ],
  [
    "a mount that orders nothing, of a variant that does",
    v2Header({
      mount: "data=writeback",
      variant: { ...headerV2().variant, mountOptions: ["data=writeback"] },
    }),
    'line 1: header.variant.journal: is "ordered", which the mount options contradict',
  ],
  ["a break outside the map", v2With(0, { breaks: [7] }), "steps[0].breaks[0]: 7 is no allocated"],
  [
    "a break at the first block of an extent",
    v2With(2, { fiemap: [[0, 2, "written"]], breaks: [0] }),
    "steps[2].breaks[0]: 0 is no allocated block behind another",
  ],
  [
    "a break among delayed blocks",
    v2With(2, { fiemap: [[0, 3, "delalloc"]], breaks: [1] }),
    "steps[2].breaks[0]: 1 is no allocated block behind another",
  ],
  ["a cache without the ioctl", v2With(0, { es: [] }), "steps[0].es: pwrite has no such field"],
  ["no pieces", v2With(0, { pieces: undefined }), "steps[0].pieces: is missing"],
  ["breaks in disorder", v2With(0, { breaks: [3, 3] }), "steps[0].breaks: is not sorted"],
  [
    "windows that touch",
    v2With(0, {
      windows: [
        [0, 2],
        [2, 3],
      ],
    }),
    "steps[0].windows: is not so",
  ],
  [
    "an open window in the middle",
    v2With(0, {
      windows: [
        [0, null],
        [2, 3],
      ],
    }),
    "windows[0]: null",
  ],
  ["an empty window", v2With(0, { windows: [[5, 5]] }), "steps[0].windows[0]: is empty"],
  ["a read without a digest", v2With(1, { sha256: undefined }), "steps[1].sha256: is missing"],
  ["half a digest", v2With(1, { sha256: "00ff" }), 'steps[1].sha256: "00ff" is no SHA-256'],
  ["a digest of nothing", v2With(0, { sha256: "0".repeat(64) }), "sha256: is there, but nothing"],
  ["a truncation to nowhere", v2With(2, { length: undefined }), "steps[2].length: is missing"],
];

const badV3: [string, string[], string][] = [
  ["no end", v3.slice(0, -1), 't.jsonl: is truncated: after line 5 the line {"end": ...} is missi'],
  [
    "a step that was lost",
    v3.toSpliced(3, 1),
    "line 5: end.steps: is 3, but there are 2 before it",
  ],
  ["a case that has no beginning", v3.toSpliced(1, 1), "line 2: operation: belongs to no case"],
  ["a header twice", v3.toSpliced(1, 0, v3[0]!), "line 2: header: a trace has one, in line 1"],
  ["a case twice", v3.toSpliced(5, 0, v3[1]!), "line 6: case: is 0 after 0"],
  ["more after the end", [...v3, v3[1]!], "line 7: nothing may follow the end"],
  [
    "an operation that is none",
    v3.map((line) => line.replace('"op":"pwrite"', '"op":"fork"')),
    'line 3: operation.op: there is no operation "fork"',
  ],
  [
    "an operand twice",
    v3.map((line) => line.replace('"pos":0', '"pos":9,"pos":0')),
    "line 3: column 37: pos: is there twice",
  ],
  ["an unknown field", v3With(1, { colour: 1 }), "line 4: seen.colour: there is no such field"],
  ["a missing field", v3With(1, { i_size: undefined }), "line 4: seen.i_size: is missing"],
  ["a fraction", v3With(0, { reserved: 0.5 }), "line 3: seen.reserved: 0.5 is no whole number"],
  [
    "a state that is none",
    v3With(0, { map: [[0, 1, "lost"]] }),
    "seen.map[0][2]: is none of delay",
  ],
  ["a hole in the map", v3With(0, { map: [[0, 1, "hole"]] }), "seen.map[0][2]: is none of delayed"],
  [
    "an extent of no block",
    v3With(0, { map: [[3, 0, "written"]] }),
    "seen.map[0][1]: 0 is less th",
  ],
  [
    "extents that overlap",
    v3With(0, {
      cache: [
        [0, 2, "written"],
        [1, 1, "hole"],
      ],
    }),
    "line 3: seen.cache: is not sorted, or overlaps",
  ],
  ["breaks in disorder", v3With(0, { breaks: [3, 3] }), "line 3: seen.breaks: is not sorted"],
  ["an empty window", v3With(0, { windows: [[5, 5]] }), "line 3: seen.windows: is not sorted"],
  ["more bytes than memory", v3With(1, { read: [2 ** 40] }), "line 4: seen.read[0]: "],
  ["bytes out of no region", v3With(1, { read: [[0, 2 ** 22, 9]] }), "seen.read[0]: ends past its"],
  [
    "what the model was told of another file system",
    [JSON.stringify({ header: { ...headerV3(), variant: headerV3("1k-delalloc").variant } })],
    "line 1: header.config.blockSize: is not that of the variant",
  ],
  [
    "a fact that the model does not know",
    [JSON.stringify({ header: { ...headerV3(), config: { ...headerV3().config, zeal: 1 } } })],
    "line 1: header.config.zeal: there is no such field",
  ],
];

describe("what is no trace is refused in one line that says where", () => {
  test.each(badSteps)("%s", async (_, step, message) => {
    expect(await messageOf(asLines(v1(write, step)))).toContain(`steps[1]`);
    expect(await messageOf(asLines(v1(write, step)))).toContain(message);
    expect(await messageOf(asLines(v1(write, step)))).toMatch(/^t\.jsonl: line 2: .*$/);
  });

  test.each([...badV1, ...badV2, ...badV3])("%s", async (_, lines, message) => {
    const said = await messageOf(asLines(lines));
    expect(said).toContain(message);
    expect(said).toMatch(/^t\.jsonl: .*$/);
  });

  test("a last line that was cut off", async () => {
    const [first, last] = v1(write) as [string, string];
    const cut = [...asLines([first]), { text: last.slice(0, 50), ended: false }];
    expect(await messageOf(cut)).toContain("line 2: is not JSON: the file ends in the middle");
  });

  test("more steps than the limit", async () => {
    const limits = { lineBytes: 1000, steps: 3 };
    const { cases } = await parseTrace(asLines(v1(fsync, fsync, fsync, fsync)), "t.jsonl", limits);
    await expect(cases[Symbol.asyncIterator]().next()).rejects.toThrow(
      /line 2: steps: 4 of them; 3 is the limit/,
    );
  });

  test("a message is short, whatever the value", async () => {
    const said = await messageOf(asLines(v1({ ...write, ["x".repeat(1e5)]: 1 })));
    expect(said.length).toBeLessThan(200);
    const value = await messageOf(asLines(v1({ ...write, offset: "y".repeat(1e5) })));
    expect(value.length).toBeLessThan(200);
  });
});

/** Something to put where it does not belong. */
const anything = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(-1, 2 ** 53, 1e300, 0.5, "", "NaN", null, [], {}, [[]]),
  fc.constant(undefined),
);

/** A copy of `value` in which what `choose` picks, some way down, is replaced. */
function mutated(value: unknown, choose: (n: number) => number, by: unknown): unknown {
  if (typeof value !== "object" || value === null || choose(4) === 0) return by;
  const keys = Object.keys(value);
  if (keys.length === 0) return by;
  const key = keys[choose(keys.length)] as string;
  const inside = mutated((value as Record<string, unknown>)[key], choose, by);
  if (Array.isArray(value)) return value.map((v: unknown, i) => (String(i) === key ? inside : v));
  return { ...value, [key]: inside };
}

describe("whatever a file holds, the answer is a trace or a UsageError", () => {
  test("a value replaced", async () => {
    const draws = fc.infiniteStream(fc.nat());
    let accepted = 0;
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(fc.nat(8), draws, anything, async (at, stream, by) => {
        const choose = (n: number): number => (stream.next().value as number) % n;
        const lines = [...(at < v2.length ? v2 : v3)].map((line, i) =>
          i === (at < v2.length ? at : at - v2.length)
            ? (JSON.stringify(mutated(JSON.parse(line), choose, by)) ?? "")
            : line,
        );
        const said = await messageOf(asLines(lines));
        if (said === "nothing was wrong") accepted += 1;
        else refused += 1;
        expect(said).toMatch(/^(t\.jsonl: |nothing was wrong)[^\n]*$/);
      }),
      { numRuns: 2000 },
    );
    expect(refused).toBeGreaterThan(accepted);
  });

  test("characters replaced, lines lost, doubled and swapped", async () => {
    const edit = fc.record({
      line: fc.nat(),
      at: fc.nat(),
      text: fc.string({ maxLength: 3 }),
      drop: fc.nat(3),
      how: fc.constantFrom("replace", "lose", "double", "swap", "cut"),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { maxLength: 3 }), async (edits) => {
        const lines = [...(edits.length % 2 === 0 ? v2 : v3)];
        for (const { line, at, text, drop, how } of edits) {
          const i = line % Math.max(lines.length, 1);
          const old = lines[i] ?? "";
          const place = at % (old.length + 1);
          if (how === "lose") lines.splice(i, 1);
          else if (how === "double") lines.splice(i, 0, old);
          else if (how === "swap") lines.splice(i, 2, ...lines.slice(i, i + 2).toReversed());
          else if (how === "cut") lines[i] = old.slice(0, place);
          else lines[i] = old.slice(0, place) + text + old.slice(place + drop);
        }
        expect(await messageOf(asLines(lines))).toMatch(/^(t\.jsonl: |nothing was wrong)[^\n]*$/);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("a file of ours that is no recording", () => {
  const folder = tmp.dirSync({ unsafeCleanup: true });
  afterAll(() => folder.removeCallback());

  test.each([
    ["of several lines", 2],
    ["of one", 0],
  ])("is called what it is: %s", async (_, indent) => {
    const path = join(folder.name, "case.json");
    const stored = (format: string): void =>
      writeFileSync(path, JSON.stringify({ format, version: 1 }, null, indent));
    stored("ext4-conform counterexample");
    await expect(readTrace(path)).rejects.toThrow(UsageError);
    await expect(readTrace(path)).rejects.toThrow(
      /: is a counterexample, not a recording; to see it again: .*replay \S*case\.json$/,
    );
    stored("ext4-conform result");
    await expect(readTrace(path)).rejects.toThrow(/: is an ext4-conform result, not a recording$/);
    stored("of somebody else");
    await expect(readTrace(path)).rejects.toThrow(/: line 1: /);
  });
});
