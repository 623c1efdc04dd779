import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import * as fc from "fast-check";
import * as tmp from "tmp";
import { afterAll, describe, expect, test } from "vitest";
import { variants } from "../../images/variants.ts";
import { variantNamed } from "../under-test/variants.ts";
import { operations } from "../generation/operations.ts";
import {
  type Counterexample,
  counterexampleOf,
  counterexampleSchema,
  formatCounterexample,
  parseCounterexample,
  readCounterexample,
  writeCounterexample,
} from "./counterexample.ts";
import { MAX_FILE_BYTES } from "./stored-file.ts";
import { DIVERGENCE_KINDS } from "../finding/divergence.ts";
import { UsageError } from "../case/failure.ts";
import { foreignVariantSchema } from "./foreign-variant.ts";
import type { Operation } from "../operations/operation.ts";

const directory = tmp.dirSync({ unsafeCleanup: true });
afterAll(() => directory.removeCallback());

const stale: Counterexample = {
  format: "ext4-conform counterexample",
  version: 1,
  claim: "a write that ends short keeps the blocks reserved that it did not store to",
  found: "2026-11-23",
  seed: 271828,
  kernel: { release: "6.19.11-iomap-v2", path: "iomap" },
  divergence: { step: 1, kind: "map", message: "blocks 1-3 are delayed, expected hole" },
  variant: variants[0]!,
  operations: [{ op: "pwrite", pos: 0, len: 16384, readable: 4096 }, { op: "fsync" }],
};

/** It with the variant that has this name, as a person writes it. */
const staleOn = (variant: string): string => JSON.stringify({ ...stale, variant });

function file(name: string, content: string | Uint8Array): string {
  const at = path.join(directory.name, name);
  fs.writeFileSync(at, content);
  return at;
}

/** The message of the UsageError that `run` throws. */
function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return "accepted";
}

/** What is said of `stale` after `edit` changed a copy of it. */
function edited(edit: (copy: any) => void): string {
  const copy = structuredClone(stale);
  edit(copy);
  return refusal(() => parseCounterexample(JSON.stringify(copy), "f.json"));
}

function optional<T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.option(value, { nil: undefined });
}

describe("writing", () => {
  test("puts one operation on a line", async () => {
    await expect(formatCounterexample(stale)).toMatchFileSnapshot(
      "../report/goldens/counterexample.txt",
    );
  });

  test("cases before it on the same file system come back as they were", async () => {
    const before = [
      { operations: stale.operations, kept: true as const },
      { operations: stale.operations },
    ];
    const text = formatCounterexample({ ...stale, before });
    expect(parseCounterexample(text, "x.json").before).toEqual(before);
    await expect(text).toMatchFileSnapshot("../report/goldens/counterexample-before.txt");
    const { step, kind, message } = stale.divergence!;
    const found = { step, kind, message, operations: stale.operations, before };
    expect(counterexampleOf(found, { variant: stale.variant }).before).toEqual(before);
  });

  test("and reading give the same counterexample", () => {
    const any = fc.record({
      claim: optional(fc.string({ unit: "binary", maxLength: 200 })),
      seed: optional(fc.integer()),
      release: fc.string({ maxLength: 50 }),
      path: fc.constantFrom("iomap" as const, "buffer_head" as const),
      kind: fc.constantFrom(...DIVERGENCE_KINDS),
      message: fc.string({ unit: "grapheme", maxLength: 200 }),
      variant: fc.constantFrom(...variants),
      operations: operations({ variant: variants[0]!, maxLength: 60 }),
      step: fc.nat(),
    });
    const at = path.join(directory.name, "round-trip.json");
    const property = fc.property(any, (o) => {
      const counterexample: Counterexample = {
        ...stale,
        claim: o.claim,
        seed: o.seed,
        kernel: { release: o.release, path: o.path },
        divergence: { step: o.step % o.operations.length, kind: o.kind, message: o.message },
        variant: o.variant,
        operations: o.operations,
      };
      writeCounterexample(at, counterexample);
      expect(readCounterexample(at)).toEqual(counterexample);
    });
    fc.assert(property, { numRuns: 200, seed: 1 });
    expect(fs.readdirSync(directory.name).filter((f) => f.endsWith(".tmp"))).toEqual([]);
  });

  test("what a divergence is made of", () => {
    const { step, kind, message } = stale.divergence!;
    const operations: Operation[] = [...stale.operations, { op: "drop_cache" }];
    const { variant, kernel, seed, found, claim } = stale;
    expect(
      counterexampleOf(
        { step, kind, message, operations },
        { variant, kernel, seed, found, claim },
      ),
    ).toEqual(stale);
  });

  test("a person names a variant, also on the path of the patch", () => {
    for (const name of ["1k-delalloc", "1k-delalloc-iomap"]) {
      expect(parseCounterexample(staleOn(name), "x.json").variant).toEqual(variantNamed(name));
    }
    expect(() => parseCounterexample(staleOn("1k-iomap"), "x.json")).toThrow(/variant: is none of/);
  });

  test("what is too long for a file is cut, not refused", () => {
    const operations = Array.from({ length: 100_001 }, () => ({ op: "fsync" as const }));
    const found = { step: 100_000, kind: "on-disk-map" as const, operations };
    const long = counterexampleOf({ ...found, message: "x".repeat(20_000) }, stale);
    const again = parseCounterexample(formatCounterexample(long), "x.json");
    expect(again.operations).toHaveLength(100_000);
    expect(again.divergence).toMatchObject({ step: 99_999, message: "x".repeat(10_000) });
  });

  test("fails with one line", () => {
    const at = path.join(directory.name, "none", "x.json");
    expect(refusal(() => writeCounterexample(at, stale))).toBe(
      `${at} cannot be written: there is no such file or directory`,
    );
  });

  test("refuses what could not be read again", () => {
    const at = path.join(directory.name, "empty.json");
    expect(() => writeCounterexample(at, { ...stale, operations: [] })).toThrow(/operations/);
    expect(fs.existsSync(at)).toBe(false);
  });
});

describe("reading what was edited says where and why", () => {
  test.each<[string, (copy: any) => void]>([
    ["operations[0].len: expected int, received number", (c) => (c.operations[0].len = 1.5)],
    ["operations[0].readable: readable exceeds len", (c) => (c.operations[0].len = 1)],
    ['operations[1].op: there is no operation "rm"', (c) => (c.operations[1].op = "rm")],
    ["operations[0].pos: is missing", (c) => delete c.operations[0].pos],
    ['operations[1]: Unrecognized key: "pos"', (c) => (c.operations[1].pos = 0)],
    ["operations[0].pos: Too small: expected number to be >=0", (c) => (c.operations[0].pos = -1)],
    ["operations: expected array, received object", (c) => (c.operations = {})],
    ["operations[0]: expected object, received null", (c) => (c.operations[0] = null)],
    ["divergence.step: Too small", (c) => (c.divergence.step = -1)],
    ["operations: is missing", (c) => delete c.operations],
    ["variant: is none of 4k-delalloc, ", (c) => (c.variant = "8k")],
    ["variant.delalloc: contradicts", (c) => (c.variant.mountOptions = ["nodelalloc"])],
    ["variant.journal: contradicts", (c) => (c.variant.mountOptions = ["data=journal"])],
    ['variant: "bigalloc" is something', (c) => (c.variant.mkfsOptions = ["-O", "bigalloc"])],
    ["has version 2; this program reads version 1", (c) => (c.version = 2)],
    ["has no version; this program reads version 1", (c) => delete c.version],
    [
      "variant.preparation: thin is known with 4096-byte blocks",
      (c) => Object.assign(c.variant, { thin: true, blockSize: 1024 }),
    ],
    ["variant.imageSize: more than 4294967296 bytes", (c) => (c.variant.imageSize = 2 ** 50)],
    ['Unrecognized key: "notes"', (c) => (c.notes = "")],
    ["is not an ext4-conform counterexample: format", (c) => delete c.format],
  ])("%s", (message, edit) => {
    expect(edited(edit)).toContain(`f.json: ${message}`);
  });

  test("at a line and column where it is no JSON", () => {
    const text = formatCounterexample(stale).replace('"pos": 0', '"pos": 0x0');
    const line = text.split("\n").findIndex((l) => l.includes("0x0")) + 1;
    expect(refusal(() => parseCounterexample(text, "f.json"))).toMatch(
      new RegExp(`^f.json: line ${line}, column \\d+: not JSON: `),
    );
  });

  test("every truncation of a file is refused with one line", () => {
    const text = formatCounterexample(stale).trimEnd();
    for (let length = 0; length < text.length; length++) {
      const message = refusal(() => parseCounterexample(text.slice(0, length), "f.json"));
      expect(message).toMatch(/^f\.json: .*not JSON: .+$/);
    }
  });

  test("every change of one byte is accepted or refused with one line", () => {
    const text = formatCounterexample(stale);
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.string({ unit: "binary-ascii" }), (at, by) => {
        const changed = text.slice(0, at) + by + text.slice(at + 1);
        expect(refusal(() => parseCounterexample(changed, "f.json"))).toMatch(
          /^(accepted|f\.json: [^\p{Cc}]+)$/u,
        );
      }),
      { numRuns: 2000, seed: 1 },
    );
  });

  test("so is any JSON at all", () => {
    const frame = { format: stale.format, version: 1 };
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        for (const data of [value, { ...frame, operations: value }, { ...stale, variant: value }]) {
          expect(refusal(() => parseCounterexample(JSON.stringify(data), "f"))).toMatch(/^f: .+$/);
        }
      }),
      { numRuns: 500, seed: 1 },
    );
  });
});

test("what a person writes needs a variant's name and operations, no more", () => {
  const text = JSON.stringify({
    format: "ext4-conform counterexample",
    version: 1,
    variant: "1k-nodelalloc",
    operations: [{ op: "fsync" }],
  });
  const read = parseCounterexample(text, "mine.json");
  expect(read.variant).toEqual(variants.find(({ name }) => name === "1k-nodelalloc"));
  expect(parseCounterexample(formatCounterexample(read), "again.json")).toEqual(read);
});

test("every variant of ours may come from a file", () => {
  for (const variant of variants) {
    expect(parseCounterexample(formatCounterexample({ ...stale, variant }), "own").variant).toEqual(
      variant,
    );
  }
});

describe("reading what is hostile", () => {
  test("files that are none, or too large", () => {
    const fifo = path.join(directory.name, "fifo");
    execFileSync("mkfifo", [fifo]);
    expect(refusal(() => readCounterexample(fifo))).toBe(`${fifo}: is not a regular file`);
    expect(refusal(() => readCounterexample("/dev/zero"))).toMatch(/not a regular file$/);
    expect(refusal(() => readCounterexample(directory.name))).toMatch(/not a regular file$/);
    const large = file("large.json", "");
    fs.truncateSync(large, MAX_FILE_BYTES + 1);
    expect(refusal(() => readCounterexample(large))).toMatch(/more than 16777216$/);
    expect(refusal(() => readCounterexample("/nowhere"))).toBe(
      "/nowhere: cannot be read: there is no such file or directory",
    );
  });

  test("text that is none", () => {
    const at = file("binary.json", Uint8Array.from([0x7b, 0xff, 0xfe]));
    expect(refusal(() => readCounterexample(at))).toBe(`${at}: is not UTF-8 text`);
  });

  test.each(["a.jsonl", "a.jsonl.br", "a.jsonl.gz"])("a recording, as %s", (name) => {
    const at = file(name, Uint8Array.from([0x1b, 0xff, 0xfe]));
    expect(refusal(() => readCounterexample(at))).toMatch(/: is a recording .* trace check \S+$/);
  });

  test("a byte order mark is no reason to refuse", () => {
    const at = file("bom.json", `\uFEFF${formatCounterexample(stale)}`);
    expect(readCounterexample(at)).toEqual(stale);
  });

  test("a key twice, of which JSON.parse takes the last", () => {
    const text = formatCounterexample(stale);
    const twice = text.replace('"pos": 0', '"pos": 4096, "pos": 0');
    expect(JSON.parse(twice)).toEqual(JSON.parse(text));
    expect(refusal(() => parseCounterexample(twice, "f"))).toMatch(
      /^f: line \d+, column \d+: "pos" is there twice$/,
    );
    const format = text.replace("{", '{ "\\u0066ormat": 1,');
    expect(refusal(() => parseCounterexample(format, "f"))).toMatch(/: "format" is there twice$/);
    const first = text.replace('"pos": 0', `"pos": ${"[".repeat(5e4)}${"]".repeat(5e4)}, "pos": 0`);
    expect(refusal(() => parseCounterexample(first, "f"))).toMatch(/more than 32 deep$/);
  });

  test("brackets where a message would show them", () => {
    const deep = `${"[".repeat(5e4)}${"]".repeat(5e4)}`;
    const text = formatCounterexample(stale);
    expect(
      refusal(() => parseCounterexample(text.replace('"version": 1', `"version": ${deep}`), "f")),
    ).toBe("f: has version a list; this program reads version 1");
    expect(
      refusal(() => parseCounterexample(text.replace('"op": "pwrite"', `"op": ${deep}`), "f")),
    ).toMatch(/^f: operations\[\d+\]\.op: there is no operation a list$/);
  });

  test("brackets without end", () => {
    const deep = "[".repeat(1_000_000);
    expect(refusal(() => parseCounterexample(deep, "f"))).toMatch(/^f: .*not JSON/);
    const closed = deep + "]".repeat(1_000_000);
    expect(refusal(() => parseCounterexample(closed, "f"))).toMatch(/^f: /);
    const inside = JSON.stringify(stale).replace(
      '"pos":0',
      `"pos":${"[".repeat(1e6)}${"]".repeat(1e6)}`,
    );
    expect(refusal(() => parseCounterexample(inside, "f"))).toMatch(/^f: operations\[0\]\.pos: /);
  });

  test("a million operations", () => {
    const fsyncs = Array.from({ length: 400_000 }, () => ({ op: "fsync" }));
    const many = JSON.stringify({ ...stale, operations: fsyncs });
    expect(refusal(() => parseCounterexample(many, "f"))).toMatch(/^f: operations: Too big/);
  });

  test("keys that change objects, and escape sequences in what is quoted", () => {
    const text = JSON.stringify(stale).replace('"seed"', '"__proto__":{"polluted":1},"seed"');
    expect(refusal(() => parseCounterexample(text, "f"))).toMatch(/^(accepted|f: .+)$/);
    expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
    const escape = edited((c) => (c.operations[0].op = "\u001B[2J".repeat(1000)));
    expect(escape).toMatch(/^[ -~]{1,250}$/);
  });

  test.each<[string, Partial<Counterexample["variant"]>]>([
    ["a second device for mkfs", { mkfsOptions: ["/dev/sda"] }],
    ["a word without an option", { mkfsOptions: ["-O", "^has_journal", "1234"] }],
    ["a directory to copy", { mkfsOptions: ["-d", "root"] }],
    ["an undo file", { mkfsOptions: ["-z", "passwd"] }],
    ["an external journal", { mkfsOptions: ["-J", "device=LABEL=j"] }],
    ["an option without its value", { mkfsOptions: ["-O"] }],
    ["an option as a value", { mkfsOptions: ["-O", "-F"] }],
    ["a journal device", { mountOptions: ["noatime,journal_dev=0x801"] }],
    ["a path", { mountOptions: ["journal_path=/dev/sda"] }],
    ["a panic", { mountOptions: ["errors=panic"] }],
    ["a space", { mountOptions: ["ro -o dev"] }],
  ])("a variant with %s", (_, change) => {
    const message = edited((c) => Object.assign(c.variant, change));
    expect(message).toMatch(/^f\.json: variant\.\w+\[\d\]: is not accepted from a file$/);
  });

  test("a preparation that a file says by a member of each kind", () => {
    const { preparation: _, ...plain } = variantNamed("4k-thin");
    const said = (flags: object): unknown =>
      foreignVariantSchema.parse({ ...plain, ...flags }).preparation;
    expect(said({})).toBeUndefined();
    expect(said({ thin: true })).toEqual({ kind: "thin" });
    const full = { leavesFree: 16, reserveDelays: true };
    expect(said(full)).toEqual({ kind: "full", ...full });
    expect(said({ leavesFree: 48 })).toEqual({ kind: "full", leavesFree: 48 });
    const older = { remounted: true, mountOptions: ["nodelalloc"] };
    expect(said(older)).toEqual({ kind: "remounted" });
    for (const wrong of [
      { thin: false },
      { thin: true, leavesFree: 48 },
      { reserveDelays: true },
    ]) {
      expect(() => said(wrong)).toThrow(/nrecognized/);
    }
  });

  test("while all variants of our own can be stored", () => {
    for (const variant of variants) expect(foreignVariantSchema.parse(variant)).toEqual(variant);
    expect(counterexampleSchema.parse(stale)).toEqual(stale);
  });
});
