/**
 * For tests: the forms of a case that are programs, made ready on this machine and run on any
 * kernel.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import type { Deviation } from "../../model/deviations/index.ts";
import { UsageError } from "../case/failure.ts";
import type { Ran } from "../guest/programs.ts";
import type { Counterexample } from "../stored/counterexample.ts";
import { lacksProgram } from "../system/process.ts";
import { asC } from "./c.ts";
import { asFstest, fstestPatch } from "./fstest.ts";
import { checked, lintFstest, standIn } from "./fstest-stand-in.ts";
import { asShell, innerScript } from "./sh.ts";

/** Exit statuses of the programs. */
export const AS_IT_MUST_BE = 0;
export const WRONG = 1;
export const NOT_TRIED = 2;

export type Write = (
  counterexample: Counterexample,
  running: string,
  seeded?: readonly Deviation[],
) => string;

/** What a case is as a program, or the line that says why it is none. */
export function written(write: Write, ...of: Parameters<Write>): { text: string } | string {
  try {
    return { text: write(...of) };
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
}

/** A form of a case that can be run. */
export interface ProgramForm {
  form: string;
  write: Write;
  /** The file that is to be executed, in `folder`; throws where a compiler objects. */
  ready: (folder: string, name: string, text: string) => Promise<string>;
  /** Throws where shellcheck objects to what is ready. */
  lint?: (folder: string, name: string) => Promise<unknown>;
  /** What came of it, where that is not what came of the file. */
  came?: (folder: string, name: string, ran: Ran) => Ran;
}

const FSTEST = "999-ext4-conform-case";
const scriptIn = (folder: string, name: string): string => join(folder, `${name}.sh`);
const innerIn = (folder: string, name: string): string => join(folder, `${name}.inner.sh`);
const treeOf = (folder: string, name: string): string => join(folder, `${name}-tree`);

export const IN_C: ProgramForm = {
  form: "C",
  write: asC,
  async ready(folder, name, text) {
    const [source, program] = [join(folder, `${name}.c`), join(folder, name)];
    writeFileSync(source, text);
    await execa("cc", ["-Wall", "-Wextra", "-Werror", "-o", program, source]);
    return program;
  },
};

export const IN_SHELL: ProgramForm = {
  form: "sh",
  write: asShell,
  async ready(folder, name, text) {
    const script = scriptIn(folder, name);
    writeFileSync(script, text, { mode: 0o755 });
    writeFileSync(innerIn(folder, name), innerScript(text));
    return script;
  },
  lint: (folder, name) => execa("shellcheck", [scriptIn(folder, name), innerIn(folder, name)]),
};

/** The test and its golden output as a patch of xfstests, which is stood in for. */
export const IN_XFSTESTS: ProgramForm = {
  form: "xfstests",
  write: (counterexample, running, seeded) =>
    fstestPatch(FSTEST, asFstest(counterexample, running, FSTEST, seeded)),
  ready: (folder, name, text) => standIn(treeOf(folder, name), FSTEST, text),
  lint: (folder, name) => lintFstest(treeOf(folder, name), FSTEST),
  came(folder, name, { exitCode }) {
    const { end, said } = checked(treeOf(folder, name), FSTEST, exitCode);
    if (end === "failed") return { exitCode: WRONG, stdout: said, stderr: "" };
    if (end === "not run") return { exitCode: NOT_TRIED, stdout: "", stderr: said };
    return { exitCode: AS_IT_MUST_BE, stdout: "as it must be", stderr: "" };
  },
};

export const PROGRAM_FORMS = [IN_C, IN_SHELL, IN_XFSTESTS];

/** Checks the text of a program, and runs it on the running kernel. */
export async function runHere(
  { ready, lint, came = (_folder, _name, ran) => ran }: ProgramForm,
  folder: string,
  name: string,
  text: string,
): Promise<Ran> {
  const file = await ready(folder, name, text);
  if (!lacksProgram("shellcheck")) await lint?.(folder, name);
  return came(folder, name, await execa(file, { reject: false }));
}

/** Whether a script that takes these can be run. */
const hasXfsIo = !lacksProgram("xfs_io");
const hasPython = !lacksProgram("python3");

/** Why this machine cannot run the text of a program; undefined where it can. */
export function lackedBy(text: string): string | undefined {
  const takesXfsIo = /\bxfs_io is needed\b|_require_xfs_io_command|_scratch_shutdown/.test(text);
  if (takesXfsIo && !hasXfsIo) return "there is no xfs_io";
  const takesPython = /\bpython3 is needed\b|_require_command "\$PYTHON3_PROG"/.test(text);
  return takesPython && !hasPython ? "there is no python3" : undefined;
}
