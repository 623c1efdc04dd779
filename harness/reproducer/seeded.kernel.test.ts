/**
 * A bug of each severity, put where it can be, and its programs on the running kernel: with the bug
 * each shows it, and without it ends well.
 *
 * Where the model is seeded, the kernel is right and what is expected is wrong.
 */
import { release } from "node:os";
import { beforeAll, describe, expect, test } from "vitest";
import type { Deviation } from "../../model/deviations/index.ts";
import { seededBugs } from "../../model/deviations/seeded/index.ts";
import { kernelOfRelease, kernels } from "../../model/kernels/kernels.ts";
import { SEVERITIES, severities } from "../finding/severity.ts";
import type { DivergenceKind } from "../finding/severity.ts";
import { builtCommand } from "../host/built-command.ts";
import { modelWith } from "../lockstep/deviations.ts";
import { runCase } from "../lockstep/lockstep.ts";
import { operationsSchema } from "../operations/operation.ts";
import { counterexampleOf } from "../stored/counterexample.ts";
import type { Counterexample } from "../stored/counterexample.ts";
import { openImage } from "../subjects/image.ts";
import { KernelSubject } from "../subjects/kernel-subject.ts";
import { machineLacks } from "../system/machine.ts";
import { lacksProgram } from "../system/process.ts";
import { knownConfig } from "../under-test/kernel-traits.ts";
import { variantNamed } from "../under-test/variants.ts";
import { asFsx } from "./fsx.ts";
import { asMail } from "./mail.ts";
import {
  AS_IT_MUST_BE,
  IN_C,
  IN_SHELL,
  IN_XFSTESTS,
  PROGRAM_FORMS,
  WRONG,
  lackedBy,
  runHere,
  written,
} from "./programs.ts";
import type { ProgramForm } from "./programs.ts";

const lacks = machineLacks()?.message ?? (lacksProgram("cc") ? "there is no cc" : undefined);
if (lacks !== undefined) console.warn(`SKIP: ${lacks}`);

const { folder } = builtCommand("seeded");

const write = { op: "pwrite", pos: 0, len: 4096, readable: 4096 };
const fsync = { op: "fsync" };

interface Seeded {
  bug: string;
  kind: DivergenceKind;
  operations: readonly object[];
  /** What the forms that can show it print, of what was expected and seen. */
  printed: string;
  /** Why the others are none, by their names. */
  refused: Readonly<Record<string, string>>;
}

const NOT_IN_FSX = "fsx sees data and sizes, and not what this is about: ";
const ONLY_CACHED = "no program shows what it leaves in the kernel's caches";

/**
 * The worst first. No bug of the model damages a file system, since the model has none that could
 * be: what is expected there is never other than that it is whole. What shows damage is tried
 * below, on damage; a warning in the kernel's log, which ranks with it, has a known deviation of
 * its own (dirty-tag-outlives-dirt).
 */
const bugs: Seeded[] = [
  {
    bug: "partial-block-not-zeroed",
    kind: "read",
    operations: [
      write,
      { op: "ftruncate", size: 512 },
      { op: "ftruncate", size: 4096 },
      { op: "pread", pos: 0, len: 4096 },
    ],
    printed: "byte 512  expected: ",
    refused: {},
  },
  {
    bug: "commit-forgets-size",
    kind: "power-cut",
    operations: [write, fsync, { op: "power_cut" }],
    printed: "i_size  expected: 0 / seen: 4096",
    refused: { fsx: "fsx looks at the file as it is mounted" },
  },
  {
    bug: "truncate-leaves-block",
    kind: "map",
    operations: [
      { op: "fallocate", mode: "allocate", pos: 0, len: 8192 },
      { op: "ftruncate", size: 4096 },
    ],
    printed: "map  expected: 0+2 unwritten / seen: 0+1 unwritten",
    refused: { fsx: `${NOT_IN_FSX}map` },
  },
  {
    bug: "reserved-twice",
    kind: "reserved",
    operations: [write],
    printed: "reserved  expected: 2 / seen: 1",
    refused: { fsx: `${NOT_IN_FSX}reserved` },
  },
  {
    bug: "partial-block-not-zeroed",
    kind: "pages",
    operations: [write, fsync, { op: "fallocate", mode: "punch_hole", pos: 0, len: 512 }],
    printed: "pages  expected: 1 cached, 0 dirty / seen: 1 cached, 1 dirty",
    refused: { sh: ONLY_CACHED, xfstests: ONLY_CACHED, fsx: `${NOT_IN_FSX}pages` },
  },
];

const variant = variantNamed("4k-delalloc");

/** The case as a run stores it that takes the seeded model for what must be. */
async function found(bug: Deviation, list: readonly object[]): Promise<Counterexample> {
  const { name } = kernelOfRelease(release());
  const model = modelWith(knownConfig(variant, kernels[name]), [bug]);
  const image = await openImage(variant);
  const subject = new KernelSubject(image);
  try {
    const options = { variant: variant.name, blockSize: variant.blockSize };
    const { divergence } = runCase(model, subject, operationsSchema.parse(list), options);
    const kernel = { release: release(), path: "buffer_head" } as const;
    return counterexampleOf(divergence!, { variant, kernel, claim: bug.claim });
  } finally {
    subject.release();
    image.close();
  }
}

test("but for damage of the file system there is a bug of each severity", () => {
  const those = new Set(bugs.map(({ kind }) => severities[kind]));
  expect([...those, "file system"].toSorted()).toEqual([...SEVERITIES].toSorted());
});

describe.skipIf(lacks !== undefined).each(bugs)("$bug, of kind $kind", (one) => {
  const { bug: id, kind, operations, printed, refused } = one;
  const bug = seededBugs.find((each) => each.id === id)!;
  let counterexample: Counterexample;

  beforeAll(async () => {
    counterexample = await found(bug, operations);
  });

  test("is found on this kernel", () => {
    expect(counterexample.divergence).toMatchObject({ kind, step: operations.length - 1 });
  });

  test.for(PROGRAM_FORMS.filter(({ form }) => refused[form] === undefined))(
    "in $form shows it, and without the bug nothing",
    async (form, { skip }) => {
      const text = form.write(counterexample, release(), [bug]);
      const lacking = lackedBy(text);
      skip(lacking !== undefined, lacking);
      const wrong = await runHere(form, folder, `${kind}-seeded`, text);
      expect(wrong).toMatchObject({ exitCode: WRONG });
      expect(wrong.stdout).toContain(printed);
      const right = form.write(counterexample, release());
      const ran = await runHere(form, folder, `${kind}-right`, right);
      expect(ran).toMatchObject({ exitCode: AS_IT_MUST_BE });
    },
  );

  const forms = [...PROGRAM_FORMS, { form: "fsx", write: asFsx }];
  const others = forms.filter(({ form }) => refused[form] !== undefined);

  test.skipIf(others.length === 0).for(others)("in $form is refused", ({ form, write }) => {
    const said = written(write, counterexample, release(), [bug]);
    expect(said).toContain(refused[form]);
  });

  test("as a mail", () => {
    const [seeded, right] = [[bug], []].map((set) => asMail(counterexample, release(), set));
    expect(seeded).toContain(counterexample.divergence!.message.split(",")[0]);
    expect(seeded).not.toBe(right);
  });
});

/** Empties the inode of the file, on the image that is looked at next. */
const damaged = (image: string): string => `debugfs -w -R 'clri /file' ${image}`;

interface Damage {
  form: ProgramForm;
  /** Where its program looks whether the file system is whole. */
  look: RegExp;
  /** What damages that just before. */
  seed: string;
  printed: string;
}

const damages: Damage[] = [
  {
    form: IN_C,
    look: /(?=\texpect\("e2fsck")/,
    seed: `\tmust(system("${damaged("image")}") == 0);\n`,
    printed: "e2fsck  expected: 0 / seen: ",
  },
  {
    form: IN_SHELL,
    look: /(?=^e2fsck )/m,
    seed: `${damaged("image")}\n`,
    printed: "e2fsck  expected: 0 / seen: 4",
  },
  {
    form: IN_XFSTESTS,
    look: /(?=^\+_check_scratch_fs)/m,
    seed: `+${damaged("$SCRATCH_DEV")} >>$seqres.full 2>&1\n`,
    printed: "the file system is damaged",
  },
];

test("what fsx reads it holds against what it wrote: there is no table in it to be wrong", () => {
  const [{ bug: id, kind, operations: list }] = bugs as [Seeded];
  const operations = operationsSchema.parse(list);
  const divergence = { step: operations.length - 1, kind, message: "other bytes", operations };
  const counterexample = counterexampleOf(divergence, { variant });
  const bug = seededBugs.find((each) => each.id === id)!;
  const right = asFsx(counterexample, release());
  expect(asFsx(counterexample, release(), [bug])).toBe(right);
});

/** A patch says how many lines it adds. */
const oneLineMore = (text: string): string =>
  text.replace(/^@@ -0,0 \+1,(\d+) @@/m, (_, lines) => `@@ -0,0 +1,${Number(lines) + 1} @@`);

describe.skipIf(lacks !== undefined)("a damaged file system", () => {
  const operations = operationsSchema.parse([write, fsync]);
  const message = "e2fsck -fn complains";
  const divergence = { step: 1, kind: "e2fsck", message, operations } as const;
  const counterexample = counterexampleOf(divergence, { variant });

  test.for(damages)("shows in $form.form", async ({ form, look, seed, printed }) => {
    const whole = form.write(counterexample, release());
    const right = await runHere(form, folder, "whole", whole);
    expect(right).toMatchObject({ exitCode: AS_IT_MUST_BE });
    const damaging = oneLineMore(whole.replace(look, seed));
    const wrong = await runHere(form, folder, "damaged", damaging);
    expect(wrong).toMatchObject({ exitCode: WRONG });
    expect(wrong.stdout).toContain(printed);
  });

  test("is nothing that fsx looks at", () => {
    expect(written(asFsx, counterexample, release())).toContain("as it is mounted");
  });
});
