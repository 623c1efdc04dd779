/**
 * The programs of this machine's known deviations on another kernel, where some of those are
 * absent: in a guest they come to what a replay comes to there.
 *
 * The guest is the distribution's user-mode Linux, 6.1, or the one in EXT4_CONFORM_UML.
 */
import { existsSync, mkdirSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { execaSync } from "execa";
import { beforeAll, describe, expect, test } from "vitest";
import { EnvironmentError } from "../case/failure.ts";
import { runInGuest } from "../guest/programs.ts";
import type { Ran } from "../guest/programs.ts";
import { umlRecipe } from "../guest/uml.ts";
import { MEMORY_MIB, kernelUnderTest } from "../guest/under-test.ts";
import type { GuestOptions } from "../guest/under-test.ts";
import { builtCommand } from "../host/built-command.ts";
import { Attempts } from "../run/crash-triage.ts";
import { lacksProgram } from "../system/process.ts";
import type { KernelTraits } from "../under-test/kernel-traits.ts";
import { HANG_SECONDS } from "../workers/link.ts";
import { shownByDeviations } from "./deviation-cases.ts";
import type { Shown } from "./deviation-cases.ts";
import { AS_IT_MUST_BE, NOT_TRIED, PROGRAM_FORMS, WRONG, lackedBy, written } from "./programs.ts";

const kernel = process.env["EXT4_CONFORM_UML"] ?? "/usr/bin/linux.uml";
const lacks = existsSync(kernel)
  ? lacksProgram("cc")?.message
  : `there is no user-mode Linux at ${kernel}`;
if (lacks !== undefined) console.warn(`SKIP: ${lacks}`);

const { folder } = builtCommand("in-guest");
const shown = shownByDeviations();

/** Of the guest's kernel. */
const there = lacks === undefined ? execaSync(kernel, ["--version"]).stdout.trim() : release();

const programs = shown.flatMap((one) =>
  PROGRAM_FORMS.flatMap((form) => {
    const program = written(form.write, one.counterexample, there);
    const runs = typeof program === "object" && lackedBy(program.text) === undefined;
    return runs ? [{ ...one, ...form, ...program }] : [];
  }),
);

/** What a program of the case must come to, by a replay with --strict. */
async function replayed(
  attempts: Attempts,
  traits: KernelTraits,
  { deviation, counterexample }: Shown,
): Promise<number> {
  const { variant, operations, divergence: about } = counterexample;
  // Of pages a replay says nothing where the kernel does not count them.
  if (about?.kind === "pages" && !traits.cachestat) return NOT_TRIED;
  const how = { strict: true, executor: "ffi", traits, name: true } as const;
  try {
    const { divergence, named = [] } = await attempts.run({ variant, operations, ...how });
    // Where others show, it ended before it was at what the case is about.
    const others = named.length > 0 && !named.includes(deviation.id);
    return divergence === undefined || others ? AS_IT_MUST_BE : WRONG;
  } catch (error) {
    if (error instanceof EnvironmentError) return NOT_TRIED;
    throw error;
  }
}

/** All of them, by the names of the cases. */
async function replayAll(): Promise<Map<string, number>> {
  const options: GuestOptions = { memory: MEMORY_MIB, accel: "auto", append: [] };
  const under = await kernelUnderTest(kernel, options);
  const attempts = new Attempts(under, HANG_SECONDS.guest);
  const must = new Map<string, number>();
  let refused: number | undefined;
  try {
    const { traits } = await attempts.probe();
    for (const one of shown) {
      const known = one.deviation.path === "iomap" && !traits.bufferedIomap;
      // Each takes a guest, to be told the same.
      const end = (known ? refused : undefined) ?? (await replayed(attempts, traits, one));
      if (known) refused = end;
      must.set(one.name, end);
    }
  } finally {
    await attempts.finish();
  }
  return must;
}

async function runAll(): Promise<Map<string, Ran>> {
  const files: string[] = [];
  for (const { form, name, ready, text } of programs) {
    mkdirSync(join(folder, form), { recursive: true });
    files.push(await ready(join(folder, form), name, text));
  }
  const ran = await runInGuest(umlRecipe(kernel, MEMORY_MIB, []), folder, files);
  return new Map(
    programs.map(({ form, name, came }, i) => [
      `${form} ${name}`,
      came?.(join(folder, form), name, ran[i]!) ?? ran[i]!,
    ]),
  );
}

/** What a program prints that ends so. */
const prints: Readonly<Record<number, RegExp>> = {
  [AS_IT_MUST_BE]: /^as it must be$/,
  [WRONG]: / expected: .* seen: /,
  [NOT_TRIED]: /^$/,
};

/** A program without the line that says which kernel is the measure. */
const expects = (text: string): string => text.replace(/^.*Expected is what a kernel like.*$/m, "");

describe.skipIf(lacks !== undefined)("programs in a guest", () => {
  let must: Map<string, number>;
  let ran: Map<string, Ran>;

  beforeAll(async () => {
    [must, ran] = await Promise.all([replayAll(), runAll()]);
  });

  test.each(programs)("$form: $name ends as its replay does there", ({ form, name }) => {
    const end = must.get(name)!;
    const { exitCode, stdout, stderr } = ran.get(`${form} ${name}`)!;
    expect({ exitCode, stdout, stderr }).toMatchObject({ exitCode: end });
    expect(stdout.trim()).toMatch(prints[end]!);
  });

  test("are those of this machine, but for what must be in the page cache", () => {
    const same = programs.filter(
      ({ counterexample }) => counterexample.divergence?.kind !== "pages",
    );
    for (const { write, counterexample, text } of same) {
      expect(expects(text)).toBe(expects(write(counterexample, release())));
    }
  });

  test("some deviations show there, and others are absent", () => {
    expect([...must.values()]).toEqual(expect.arrayContaining([AS_IT_MUST_BE, WRONG]));
  });
});
