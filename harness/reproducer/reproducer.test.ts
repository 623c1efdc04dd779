/**
 * Cases as programs, without a kernel: what comes out, and what is refused.
 */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pattern, patternOffset } from "../../model/include/pattern.ts";
import { variants } from "../../images/variants.ts";
import { UsageError } from "../case/failure.ts";
import { promises } from "../contract/promises.ts";
import { DIVERGENCE_KINDS } from "../finding/divergence.ts";
import type { DivergenceKind } from "../finding/divergence.ts";
import { operations } from "../generation/operations.ts";
import type { Operation } from "../operations/operation.ts";
import { parseCounterexample } from "../stored/counterexample.ts";
import type { Counterexample } from "../stored/counterexample.ts";
import { variantNamed } from "../under-test/variants.ts";
import { asC } from "./c.ts";
import { shownByDeviations } from "./deviation-cases.ts";
import { asMail, linesOfCode } from "./mail.ts";
import { runsOf } from "./runs.ts";
import { asShell } from "./sh.ts";
import { symptomOf } from "./symptom.ts";

const RUNNING = "6.18.44";

/** A stored case; what it is about where `kind` says so. */
function stored(
  variant: string,
  list: readonly object[],
  kind?: DivergenceKind,
  more: object = {},
): Counterexample {
  const divergence = { step: list.length - 1, kind, message: "what was seen" };
  const text = JSON.stringify({
    format: "ext4-conform counterexample",
    version: 1,
    variant,
    ...(kind === undefined ? {} : { divergence }),
    operations: list,
    ...more,
  });
  return parseCounterexample(text, "case.json");
}

const write = { op: "pwrite", pos: 0, len: 4096, readable: 4096 };
const short = { op: "pwrite", pos: 0, len: 4096, readable: 0 };
const fsync = { op: "fsync" };

const shortWrite = stored("4k-delalloc", [short, fsync], "reserved", {
  claim:
    "A delayed write that ends short keeps the reservation of blocks it put nothing into, even after fsync.",
  kernel: { release: "6.18.44", path: "buffer_head" },
});
const rewritten = stored(
  "4k-thin",
  [write, { ...fsync, starved: true }, write, fsync],
  "contents",
  { claim: "What is written again, and synced, where writeback failed before, is lost." },
);

describe("what comes out", () => {
  test("a short write, in C", async () => {
    await expect(asC(shortWrite, RUNNING)).toMatchFileSnapshot("goldens/short-write.c");
  });

  test("in a few lines: a maintainer reads all of them in the mail", () => {
    const mail = asMail(shortWrite, RUNNING).trimEnd().split("\n");
    const program = mail.slice(mail.indexOf("/*"));
    expect(program.at(-1)).toBe("}");
    expect(program.length).toBeLessThan(60);
  });

  test("of known deviations in few lines of code: most of them are read in the mail", () => {
    const mails = shownByDeviations().map(({ counterexample }) => asMail(counterexample, RUNNING));
    const programs = mails.filter((mail) => !mail.includes("There is no program"));
    const whole = programs.filter((mail) => mail.endsWith("\n}\n"));
    expect(programs.length).toBeGreaterThan(10);
    expect(whole.length).toBeGreaterThan(programs.length / 2);
    for (const mail of whole) expect(linesOfCode(mail.slice(mail.indexOf("/*")))).toBeLessThan(60);
  });

  test("a mail about what a run calls known says what that is", () => {
    const known = { ...shortWrite, claim: "Known: short-write-keeps-reservation" };
    expect(asMail(known, RUNNING)).toBe(asMail(shortWrite, RUNNING));
  });

  test("a mail is of what was seen: of a case that shows nothing there is none", () => {
    expect(() => asMail(stored("4k-delalloc", [write]), RUNNING)).toThrow(
      /^the case has no divergence/,
    );
  });

  test("a write that is lost, as a script", async () => {
    await expect(asShell(rewritten, RUNNING)).toMatchFileSnapshot("goldens/rewritten.sh");
  });

  test("a short write, as a mail of 72 columns but for what is to be copied", async () => {
    const mail = asMail(shortWrite, RUNNING);
    await expect(mail).toMatchFileSnapshot("goldens/short-write.txt");
    const text = mail.slice(0, mail.indexOf("\n/*\n"));
    const lines = text.split("\n").filter((line) => !/^(?:Subject:| {2}(?:mkfs|mount))/.test(line));
    expect(lines.filter((line) => line.length > 72)).toEqual([]);
  });

  test("looks at what the case is about, and at nothing else", () => {
    const i_size = asC(stored("4k-delalloc", [write], "i_size"), RUNNING);
    expect(i_size).toContain('expect("i_size", 4096,');
    expect(i_size).not.toContain("FIEMAP");
    const all = asC(stored("4k-delalloc", [write]), RUNNING);
    for (const field of ["result", "i_size", "reserved"])
      expect(all).toContain(`expect("${field}"`);
    expect(all).toContain('expect_text("map", "0+1 delayed", map(fd));');
    expect(all).toContain("same_in_file(fd, 0, 4096, buffer(0, 4096));");
  });

  test("a claim ends no comment", () => {
    const claim = { claim: "*/ int evil; /*\u001b[31m\nint more;" };
    const text = asC(stored("4k-delalloc", [write], "i_size", claim), RUNNING);
    expect(text).not.toContain("*/ int evil");
    expect(text).not.toContain("\u001b");
    expect(text).not.toMatch(/^int more/m);
    expect(asShell(stored("4k-delalloc", [write], "i_size", claim), RUNNING)).not.toMatch(/^int/m);
  });
});

describe("what must be seen", () => {
  test("is what the model as it should be has, for the kernel of the case", () => {
    const direct = { op: "direct_read", pos: 0, len: 1025 };
    const of = (release: string) =>
      symptomOf(
        stored(
          "1k-nodelalloc",
          [{ ...write, len: 1024, readable: 1024 }, fsync, direct],
          "result",
          {
            kernel: { release, path: "buffer_head" },
          },
        ),
        RUNNING,
      ).result;
    expect([of("6.12.117"), of("6.18.44")]).toEqual([-22, 1024]);
  });

  test("is that of the running kernel where the case names none", () => {
    const direct = { op: "direct_read", pos: 0, len: 1025 };
    const list = [{ ...write, len: 1024, readable: 1024 }, fsync, direct];
    const of = (running: string) => symptomOf(stored("1k-nodelalloc", list, "result"), running);
    expect([of("6.12.0").result, of("6.18.0").result]).toEqual([-22, 1024]);
  });

  test.each(DIVERGENCE_KINDS)("of a divergence of kind %s is said, or why not", (kind) => {
    const symptom = symptomOf(stored("4k-delalloc", [write, fsync], kind), RUNNING);
    const { result, read, file = {}, atUnmount } = symptom;
    const looks = [result, read, atUnmount, ...Object.values(file)].filter(
      (one) => one !== undefined,
    );
    // A write and a sync read nothing; and of a kernel that is gone there is nothing to look at.
    const nothing = ["read", "hang", "panic"].includes(kind);
    expect(looks.length > 0).toBe(!nothing);
  });

  test("of bytes is where they come from", () => {
    const first = pattern(1).slice(patternOffset(1000));
    const second = pattern(3).slice(patternOffset(100), patternOffset(50));
    const bytes = new Uint8Array(1200);
    bytes.set(first);
    bytes.set(second, 500);
    expect(runsOf(bytes, 4096)).toEqual([
      { pos: 4096, len: 500, from: { tag: 1, readable: 1000 } },
      { pos: 4596, len: 50, from: { tag: 3, readable: 100 } },
      { pos: 4646, len: 450, from: { tag: 1, readable: 450 } },
      { pos: 5096, len: 200 },
    ]);
    expect(runsOf(bytes, 0, [{ start: 0, end: 1000 }])).toEqual([{ pos: 1000, len: 200 }]);
  });

  test("of a few bytes is where their write goes on", () => {
    const bytes = pattern(0).slice(patternOffset(64));
    bytes[60] = 0;
    expect(runsOf(bytes, 0).at(-1)).toEqual({ pos: 61, len: 3, from: { tag: 0, readable: 3 } });
  });
});

/** The one line with which it is refused. */
function refusal(write: () => string): string {
  try {
    return `not refused: ${write()}`;
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
}

/** A case that is about a broken promise. */
const broken = (id: string, variant = "4k-delalloc", list: readonly object[] = [write, fsync]) => {
  const { claim } = promises.find((one) => one.id === id)!;
  const step = list.length - 1;
  const divergence = { step, kind: "contract", message: `what was seen: ${id}. ${claim}` };
  return stored(variant, list, undefined, { divergence });
};

describe("of a broken promise", () => {
  test.each(promises)("$id is looked at what it is about", ({ id, about }) => {
    const read = { op: "pread", pos: 0, len: 4096 };
    const list = about.includes("read") ? [write, read] : [write, fsync];
    const { file = {}, ...symptom } = symptomOf(broken(id, "4k-delalloc", list), RUNNING);
    const cut = symptom.place === "after a power cut" ? { "power-cut": true } : {};
    const looks = Object.keys({ ...file, ...symptom, ...cut });
    expect(looks).toEqual(expect.arrayContaining([...about]));
    const others = looks.filter((look) =>
      ["pages", "st_blocks", "reserved", "cache"].includes(look),
    );
    expect(about).toEqual(expect.arrayContaining(others));
  });

  test("is known by its claim as well, as trace check saves it", () => {
    const { claim } = promises.find(({ id }) => id === "cache-is-true")!;
    const one = stored("4k-delalloc", [write], "contract", { claim });
    expect(asC(one, RUNNING)).toContain('expect_cached(fd, 0, "delayed");');
    expect(refusal(() => asShell(broken("cache-is-true"), RUNNING))).toMatch(/^not refused/);
  });

  test("on a file system that is full is refused where only the model could say it", () => {
    expect(refusal(() => asC(broken("read-returns-what-was-written", "4k-full"), RUNNING))).toBe(
      "that read-returns-what-was-written is broken cannot be shown without what a right kernel does: space runs out there, which the model does not follow",
    );
    expect(asC(broken("nothing-delayed-after-sync", "4k-full"), RUNNING)).toContain("reserved()");
  });

  test("of which nobody knows is looked at whole", () => {
    const looks = symptomOf(stored("4k-delalloc", [write], "contract"), RUNNING).file;
    expect(Object.keys(looks!).length).toBeGreaterThan(4);
  });
});

describe("what is refused", () => {
  const paused = { op: "paused_write", pos: 0, len: 4096, pause_at: 1, during: [], after: "fault" };
  const inShell: [string, object][] = [
    ["the program that ends short in memory knows no flags", { ...short, sync: "data" }],
    ["no program takes its bytes from several places", { ...write, iov: [512] }],
    ["ulimit(1) counts in blocks", { ...write, limit: 512 }],
    ["dd does not know RWF_DONTCACHE", { ...write, dontcache: true }],
    ["dd leaves O_DIRECT off where it is not aligned", { op: "direct_read", pos: 1, len: 512 }],
    ["no program stops in the middle of a write", paused],
    [
      "what was emptied is written back as soon as a program has closed it",
      { op: "ftruncate", size: 0 },
    ],
    [
      "only a kernel built with fault injection fails an allocation on purpose",
      { ...write, fail_nth: 1 },
    ],
  ];

  test.each(inShell)("in a script: %s", (why, operation) => {
    const said = refusal(() => asShell(stored("4k-delalloc", [operation, fsync]), RUNNING));
    expect(said).toMatch(/^(?:pwrite|direct_read|paused_write|ftruncate)\(.*\) cannot be written/);
    expect(said).toContain(why);
    expect(said).not.toContain("\n");
  });

  test("in C: what takes fault injection", () => {
    const said = refusal(() => asC(stored("4k-delalloc", [{ ...write, fail_nth: 2 }]), RUNNING));
    expect(said).toBe(
      "pwrite(pos=0, len=4096, fail_nth=2) cannot be written as a C program: only a kernel built with fault injection fails an allocation on purpose",
    );
  });

  test("in both: a case that takes others before it", () => {
    const one = stored("4k-delalloc", [fsync], undefined, { before: [{ operations: [write] }] });
    for (const form of [asC, asShell]) {
      expect(refusal(() => form(one, RUNNING))).toContain("a case with 1 before it");
    }
  });

  test("in a script: what only the page cache shows", () => {
    const said = refusal(() => asShell(stored("4k-delalloc", [write], "pages"), RUNNING));
    expect(said).toContain("no program shows what it leaves in the kernel's caches");
  });

  test("in both: what nobody can say of a file system that is full", () => {
    const said = refusal(() => asC(stored("4k-full", [write]), RUNNING));
    expect(said).toContain("space runs out there");
    expect(asC(stored("4k-full", [write, fsync]), RUNNING)).toContain('expect("reserved", 0,');
  });
});

describe("of whatever is generated", () => {
  test.each(variants)("$name: a program, or one line that says why not", ({ name }) => {
    const variant = variantNamed(name);
    const cases = operations({ variant, maxLength: 12, everything: true });
    const check = (list: Operation[]): void => {
      for (const form of [asC, asShell, asMail]) {
        const text = refusal(() => form(stored(name, list), RUNNING));
        expect(text).not.toMatch(/undefined|NaN|\[object/);
        expect(text.startsWith("not refused: ") || !text.includes("\n")).toBe(true);
      }
    };
    fc.assert(fc.property(cases, check), { numRuns: 20 });
  });
});
