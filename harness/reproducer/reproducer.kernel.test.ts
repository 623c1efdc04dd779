/**
 * Cases as programs, compiled and run on the running kernel: they come to what a replay comes to,
 * and what they print is what the model has with the deviation and without.
 */
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { execa, execaSync } from "execa";
import * as fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { knownDeviations } from "../../model/deviations/index.ts";
import { promises } from "../contract/promises.ts";
import { operations } from "../generation/operations.ts";
import type { Ran } from "../guest/programs.ts";
import { builtCommand, unwrapped, withoutMounts } from "../host/built-command.ts";
import { packageRoot } from "../host/package.ts";
import { REPEATS, runCase } from "../lockstep/lockstep.ts";
import { openImage } from "../subjects/image.ts";
import { KernelSubject } from "../subjects/kernel-subject.ts";
import { modelWith } from "../lockstep/deviations.ts";
import type { Operation } from "../operations/operation.ts";
import { formatCounterexample, readCounterexample } from "../stored/counterexample.ts";
import type { Counterexample } from "../stored/counterexample.ts";
import { machineLacks } from "../system/machine.ts";
import { lacksProgram } from "../system/process.ts";
import { variantNamed } from "../under-test/variants.ts";
import { knownConfig } from "../under-test/kernel-traits.ts";
import { kernelOfRelease, kernels } from "../../model/kernels/kernels.ts";
import { asC } from "./c.ts";
import { shownByDeviations } from "./deviation-cases.ts";
import type { Shown } from "./deviation-cases.ts";
import { NO_BUFFERED_IOMAP } from "./file-system.ts";
import { asFstest, fstestPatch } from "./fstest.ts";
import {
  AS_IT_MUST_BE,
  IN_C,
  IN_SHELL,
  IN_XFSTESTS,
  NOT_TRIED,
  PROGRAM_FORMS,
  WRONG,
  lackedBy,
  runHere,
  written,
} from "./programs.ts";
import type { ProgramForm } from "./programs.ts";
import { asShell } from "./sh.ts";

const missing = lacksProgram("cc") ? "there is no cc" : undefined;
const lacks = machineLacks()?.message ?? missing;
if (lacks !== undefined) console.warn(`SKIP: ${lacks}`);

const { folder, conform } = builtCommand("exported");

/** Generated cases that are run in each form, on each variant: the same ones each time. */
const GENERATED = { numRuns: 20, seed: 19 };

/** Of a replay, and what a program of the same case must come to. */
const meaning: ReadonlyMap<number | undefined, number> = new Map([
  [0, AS_IT_MUST_BE],
  [1, WRONG],
  [4, NOT_TRIED],
]);

const run = async (form: ProgramForm, name: string, text: string): Promise<Ran> =>
  runHere(form, folder, name, text);

const replays = new Map<string, number | undefined>();

/** What the tool says of the case on this kernel; it is asked once. */
async function replayed(name: string, counterexample: Counterexample): Promise<number | undefined> {
  if (replays.has(name)) return replays.get(name);
  const file = join(folder, `${name}.json`);
  writeFileSync(file, formatCounterexample(counterexample));
  const { exitCode } = await conform(["replay", "--strict", file]);
  replays.set(name, exitCode);
  return exitCode;
}

const base = { format: "ext4-conform counterexample", version: 1 } as const;

const shown = shownByDeviations();

/** Those that take what neither form has. */
const NOT_IN_C = ["uncounted-write-moves-size", "uncounted-write-moves-size-also"];

/** Those that programs can do and show, some of them with xfs_io or python3. */
const SHOWN_IN_SHELL = [
  "delayed-blocks-not-new",
  "direct-write-forgets-fault",
  "direct-write-frees-preallocation",
  "dirty-tag-outlives-dirt",
  "failed-write-moves-size",
  "failed-zeroing-keeps-reservation",
  "last-folio-is-not-read",
  "refused-data-converted",
  "replay-undoes-zeroing",
  "rewrite-after-error-is-lost",
  "short-write-frees-preallocation",
  "short-write-frees-preallocation-also",
  "short-write-keeps-reservation",
];

/** Those of them that take a device without room. */
const NOT_IN_FSTEST = ["refused-data-converted", "rewrite-after-error-is-lost"];

interface Program extends Shown {
  text: string;
}

const expressible = ({ write }: ProgramForm): Program[] =>
  shown.flatMap((one) => {
    const program = written(write, one.counterexample, release());
    return typeof program === "string" ? [] : [{ ...one, ...program }];
  });

/** The lines that say why the others are none. */
const refusals = ({ write }: ProgramForm): string[] =>
  shown.map(({ counterexample }) => written(write, counterexample, release())).filter(isText);

const isText = (value: unknown): value is string => typeof value === "string";

const namesOf = (form: ProgramForm): string[] => expressible(form).map(({ name }) => name);

test("every known deviation has a case, and it is known which form has no words for it", () => {
  expect(new Set(shown.map(({ deviation }) => deviation))).toEqual(new Set(knownDeviations));
  const names = shown.map(({ name }) => name);
  expect(namesOf(IN_C)).toEqual(names.filter((name) => !NOT_IN_C.includes(name)));
  expect(namesOf(IN_SHELL).toSorted()).toEqual(SHOWN_IN_SHELL);
  const inFstest = SHOWN_IN_SHELL.filter((name) => !NOT_IN_FSTEST.includes(name));
  expect(namesOf(IN_XFSTESTS).toSorted()).toEqual(inFstest);
  for (const line of PROGRAM_FORMS.flatMap(refusals)) {
    expect(line).toMatch(
      /^(?:\w+\(.*\)|a case on [\w-]+) cannot be written as a (?:C program|script|test of xfstests): .*$/,
    );
  }
});

/** What is printed, as far as the exit status says. */
function saidBy(exitCode: number | undefined, line: string | undefined): string {
  if (exitCode === WRONG) return line ?? "expected: ";
  return exitCode === AS_IT_MUST_BE ? "as it must be" : "";
}

/** Folders and devices that the programs made and did not remove. */
function leftovers(): string[] {
  const folders = readdirSync("/tmp").filter((name) => /^ext4-\w{6}$/.test(name));
  const { stdout } = execaSync("losetup", ["--list", "--noheadings", "--output", "NAME,BACK-FILE"]);
  const devices = stdout.split("\n").filter((line) => / \/(?:image|cut\.img)\b/.test(line));
  return [...folders, ...devices];
}
let before: string[] = [];

/** A script that reads the kernel's log, where dmesg(1) prints what that shell command makes of it. */
async function whereLogIs(name: string, kept: string): Promise<Ran> {
  const bin = join(folder, `log-${name}`);
  mkdirSync(bin);
  const dmesg = ["#!/bin/sh", "PATH=${PATH#*:}", `dmesg "$@" | ${kept}`, ""].join("\n");
  writeFileSync(join(bin, "dmesg"), dmesg, { mode: 0o755 });
  const write: Operation = { op: "pwrite", pos: 0, len: 4096, readable: 4096 };
  const variant = variantNamed("4k-delalloc");
  const divergence = { step: 0, kind: "kernel-log", message: "said more" } as const;
  const counterexample = { ...base, variant, divergence, operations: [write] };
  const script = join(folder, `${name}.sh`);
  writeFileSync(script, asShell(counterexample, release()));
  const env = { PATH: `${bin}:${process.env["PATH"]}` };
  return execa("sh", [script], { reject: false, env });
}

describe.skipIf(lacks !== undefined)("on this kernel", () => {
  beforeAll(() => {
    before = leftovers();
  });

  describe.each(PROGRAM_FORMS)("in $form a deviation", (form) => {
    test.for(expressible(form))("$name shows where a replay shows it", async (one, { skip }) => {
      const { name, counterexample, text, printed: line } = one;
      const lacking = lackedBy(text);
      skip(lacking !== undefined, lacking);
      const exitCode = meaning.get(await replayed(name, counterexample));
      const stdout = expect.stringContaining(saidBy(exitCode, line)) as string;
      expect(await run(form, name, text)).toMatchObject({ exitCode, stdout });
    });
  });

  const conforming = [
    ["corpus", "collapse-needs-a-leaf"],
    ["corpus", "copy-across-files"],
    ["corpus", "copy-of-nothing"],
    ["corpus", "direct-write-drops-cache"],
    ["corpus", "uncached-write-ends-short"],
    ["corpus", "refused-again-far-out"],
    ["corpus", "partially-uptodate-read"],
    ["pauses", "cache-dropped-under-the-writer"],
    ["pauses", "store-ahead-of-the-writer"],
    ["pauses", "zero-range-brings-back"],
    ["power-cuts", "as-it-goes"],
    ["power-cuts", "data-in-place"],
    ["power-cuts", "one-commit-for-two-files"],
  ].map(([from, name]) => ({ from: from!, name: name! }));

  test.for(conforming)("$from/$name ends as its replay does", async ({ from, name }, { skip }) => {
    const counterexample = readCounterexample(
      join(packageRoot, "properties", from, `${name}.json`),
    );
    const must = meaning.get(await replayed(name, counterexample));
    skip(must === NOT_TRIED, "this kernel cannot");
    const { exitCode, stdout, stderr } = await run(IN_C, name, asC(counterexample, release()));
    expect({ exitCode, stdout, stderr }).toMatchObject({ exitCode: must });
    for (const form of [IN_SHELL, IN_XFSTESTS]) {
      const script = written(form.write, counterexample, release());
      if (typeof script === "string" || lackedBy(script.text) !== undefined) continue;
      expect(await run(form, name, script.text)).toMatchObject({ exitCode: must });
    }
  });

  test("what is expected decides: the same program with another value in it fails", async () => {
    const write: Operation = { op: "pwrite", pos: 0, len: 4096, readable: 4096 };
    const variant = variantNamed("4k-nodelalloc");
    const counterexample = { ...base, variant, operations: [write] };
    const text = asC(counterexample, release());
    expect(await run(IN_C, "right", text)).toMatchObject({ exitCode: AS_IT_MUST_BE });
    const wrong: [string, string, string][] = [
      ['"result", 4096', '"result", 4095', "result  expected: 4095 / seen: 4096"],
      ['"i_size", 4096', '"i_size", 1', "i_size  expected: 1 / seen: 4096"],
      ["expect_blocks(8,", "expect_blocks(16,", "st_blocks  expected: 16 / seen: 8"],
      ['"0+1 unwritten"', '"no blocks"', "map  expected: no blocks / seen: 0+1"],
      ['"0+1 written"', '"no blocks"', "map  expected: no blocks / seen: 0+1"],
      ['"reserved", 0', '"reserved", 7', "reserved  expected: 7 / seen: 0"],
      ["0, 4096, buffer(0,", "0, 4096, buffer(1,", "byte 0  expected: 0x"],
    ];
    let changed = 0;
    for (const [from, to, line] of wrong) {
      const at = text.lastIndexOf(from);
      if (at < 0) continue;
      changed++;
      const other = text.slice(0, at) + to + text.slice(at + from.length);
      const ran = await run(IN_C, "other", other);
      expect(ran).toMatchObject({ exitCode: WRONG, stdout: expect.stringContaining(line) });
    }
    // The map is one or the other.
    expect(changed).toBe(wrong.length - 1);
  });

  test("a broken promise is shown by what it is about", async () => {
    const { counterexample } = shown.find(({ name }) => name === "short-write-keeps-reservation")!;
    const { id, claim } = promises.find((one) => one.id === "released-after-short-write")!;
    const message = `block 0 is delayed since the write, which put no byte there: ${id}. ${claim}`;
    const divergence = { ...counterexample.divergence!, kind: "contract" as const, message };
    const text = asC({ ...counterexample, divergence }, release());
    const must = await replayed("short-write-keeps-reservation", counterexample);
    const line = saidBy(meaning.get(must), "map  expected: no blocks / seen: 0+1 delayed");
    const stdout = expect.stringContaining(line) as string;
    expect(await run(IN_C, "promise", text)).toMatchObject({ exitCode: meaning.get(must), stdout });
  });

  test("a script is run as well where no file of it is there", async () => {
    const write: Operation = { op: "pwrite", pos: 0, len: 4096, readable: 4096 };
    const variant = variantNamed("4k-nodelalloc");
    const input = asShell({ ...base, variant, operations: [write] }, release());
    const cwd = join(folder, "no-file");
    mkdirSync(cwd);
    const wrong = input.replace("expect i_size 4096", "expect i_size 4095");
    for (const shell of ["dash", "bash"].filter((name) => lacksProgram(name) === undefined)) {
      const piped = async (text: string) => execa(shell, { input: text, cwd, reject: false });
      expect(await piped(input)).toMatchObject({ exitCode: AS_IT_MUST_BE, stderr: "" });
      const stdout = expect.stringContaining("i_size  expected: 4095 / seen: 4096");
      expect(await piped(wrong)).toMatchObject({ exitCode: WRONG, stdout });
    }
  });

  describe("a script that reads the kernel's log", () => {
    const LAST_MARK = String.raw`sed -n 's/.*case [0-9]* on \(loop[0-9]*\)$/\1/p' all | tail -n 1`;

    test("says nothing of what others warned of", async () => {
      const other = `tee all; echo "EXT4-fs ($(${LAST_MARK})0): of another device"`;
      expect(await whereLogIs("other", other)).toMatchObject({ exitCode: AS_IT_MUST_BE });
    });

    test("says what was warned of its own device", async () => {
      const own = `tee all; echo "EXT4-fs ($(${LAST_MARK})): a warning"`;
      const stdout = expect.stringMatching(/kernel log {2}expected: {2}\/ seen: .*: a warning/);
      expect(await whereLogIs("own", own)).toMatchObject({ exitCode: WRONG, stdout });
    });

    test("takes a log that was overwritten since for one that says nothing", async () => {
      const stderr = expect.stringContaining("the kernel's log is too short");
      const ran = await whereLogIs("overwritten", "grep -v 'case [0-9]* on loop'");
      expect(ran).toMatchObject({ exitCode: NOT_TRIED, stderr });
    });
  });

  test("a machine that cannot is said so, and nothing stays behind", async () => {
    const variant = { ...variantNamed("4k-delalloc"), mountOptions: ["no_such_option"] };
    const counterexample: Counterexample = { ...base, variant, operations: [{ op: "fsync" }] };
    const c = await run(IN_C, "refused", asC(counterexample, release()));
    expect(c).toMatchObject({ exitCode: NOT_TRIED, stderr: expect.stringContaining("mount") });
    const sh = await run(IN_SHELL, "refused", asShell(counterexample, release()));
    expect(sh).toMatchObject({ exitCode: NOT_TRIED, stderr: expect.stringContaining("mount") });
    expect(leftovers()).toEqual(before);
  });

  test("a kernel without the mount option of the series is told so, in a line", async ({
    skip,
  }) => {
    const variant = variantNamed("4k-delalloc-iomap");
    const counterexample: Counterexample = { ...base, variant, operations: [{ op: "fsync" }] };
    const c = await run(IN_C, "iomap", asC(counterexample, release()));
    skip(c.exitCode !== NOT_TRIED, "this kernel has it");
    expect(c.stderr).toBe(NO_BUFFERED_IOMAP);
    const sh = await run(IN_SHELL, "iomap", asShell(counterexample, release()));
    expect(sh).toMatchObject({ exitCode: NOT_TRIED, stderr: NO_BUFFERED_IOMAP });
    writeFileSync(join(folder, "iomap.json"), formatCounterexample(counterexample));
    const replay = await conform(["replay", join(folder, "iomap.json")]);
    expect(replay.exitCode).toBe(4);
    expect(unwrapped(replay.stderr)).toBe(`SKIP: ${NO_BUFFERED_IOMAP}`);
  });

  test("a program says to who may not mount that it takes root", async () => {
    const { variant, operations: list } = readCounterexample(
      join(packageRoot, "properties", "corpus", "copy-of-nothing.json"),
    );
    const text = asC({ ...base, variant, operations: list }, release());
    const program = await IN_C.ready(folder, "no-root", text);
    const words = [...withoutMounts.slice(1), program];
    expect(await execa(withoutMounts[0]!, words, { reject: false })).toMatchObject({
      exitCode: NOT_TRIED,
      stderr: "This needs root.",
    });
  });

  const generated = PROGRAM_FORMS.flatMap((form) =>
    ["4k-delalloc", "1k-nodelalloc"].map((name) => ({ ...form, name })),
  );

  test.for(generated)(
    "what is generated for $name fails in $form only where it diverges",
    async (how) => {
      const { name, write } = how;
      const variant = variantNamed(name);
      const image = await openImage(variant);
      const subject = new KernelSubject(image);
      const model = modelWith(knownConfig(variant, kernels[kernelOfRelease(release()).name]), []);
      const options = { variant: name, blockSize: variant.blockSize, repeats: REPEATS };
      const few = operations({ variant, maxLength: 6, everything: true });
      const ends: { list: Operation[]; exitCode: number | undefined; stdout: string }[] = [];
      try {
        for (const list of fc.sample(few, GENERATED)) {
          const program = written(write, { ...base, variant, operations: list }, release());
          const possible = list.every((one) => subject.supports(one));
          if (!possible || typeof program === "string") continue;
          if (lackedBy(program.text) !== undefined) continue;
          const { divergence } = runCase(model, subject, list, options);
          const { exitCode, stdout } = await run(how, "generated", program.text);
          if (divergence === undefined) ends.push({ list, exitCode, stdout });
        }
      } finally {
        subject.release();
        image.close();
      }
      expect(ends.length).toBeGreaterThan(0);
      expect(ends.filter(({ exitCode }) => exitCode !== AS_IT_MUST_BE)).toEqual([]);
    },
  );

  test("whatever is generated is C without a warning", async () => {
    const variant = variantNamed("1k-delalloc");
    const cases = fc.sample(operations({ variant, maxLength: 12, everything: true }), {
      ...GENERATED,
      numRuns: 40,
    });
    for (const list of cases) {
      const program = written(asC, { ...base, variant, operations: list }, release());
      if (typeof program === "string") continue;
      const input = program.text;
      const flags = ["-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-x", "c", "-"];
      expect(await execa("cc", flags, { input, reject: false })).toMatchObject({ exitCode: 0 });
    }
  });

  test("the command writes what the library does, and refuses in one line", async () => {
    const file = join(folder, "case.json");
    const name = join(packageRoot, "properties", "corpus", "copy-across-files.json");
    writeFileSync(file, readFileSync(name));
    const counterexample = readCounterexample(file);
    const { exitCode, stdout } = await conform(["export", file, "--as", "c"]);
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: asC(counterexample, release()).trimEnd(),
    });
    await conform(["export", file, "--as", "sh", "--out", "case.sh"]);
    expect(readFileSync(join(folder, "case.sh"), "utf8")).toBe(asShell(counterexample, release()));
    const paused = join(packageRoot, "properties", "pauses", "nothing-copied.json");
    const refused = await conform(["export", paused, "--as", "sh"]);
    expect(refused).toMatchObject({ exitCode: 64, stdout: "" });
    expect(unwrapped(refused.stderr)).toMatch(
      /^ext4-conform: paused_write\(.*\) cannot be written as a script: .*$/,
    );
  });

  test("a test of xfstests and its golden output are two files, or a patch", async () => {
    const file = join(folder, "short.json");
    const { counterexample } = shown.find(({ name }) => name === "short-write-keeps-reservation")!;
    writeFileSync(file, formatCounterexample(counterexample));
    const name = "999-ext4-conform-short";
    const must = asFstest(counterexample, release(), name);
    mkdirSync(join(folder, "ext4"));
    const say = async (...out: string[]) => conform(["export", file, "--as", "fstest", ...out]);
    expect(await say("--out", "ext4")).toMatchObject({ exitCode: 0, stdout: "" });
    expect(await say("--out", join("ext4", name))).toMatchObject({ exitCode: 0 });
    expect(readdirSync(join(folder, "ext4")).toSorted()).toEqual([name, `${name}.out`]);
    expect(readFileSync(join(folder, "ext4", name), "utf8")).toBe(must.test);
    expect(readFileSync(join(folder, "ext4", `${name}.out`), "utf8")).toBe(must.golden);
    expect(statSync(join(folder, "ext4", name)).mode & 0o100).toBe(0o100);
    expect((await say()).stdout).toBe(fstestPatch(name, must).trimEnd());
    expect(await say("--out", join("ext4", "short"))).toMatchObject({ exitCode: 64 });
  });

  test("none of them left anything behind", () => {
    expect(leftovers()).toEqual(before);
  });
});
