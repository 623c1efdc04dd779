/**
 * `ext4-conform bisect-step`: one step of `git bisect run`, with the exit status that it wants.
 *
 * Source: git-bisect(1), "bisect run": 0 is good, 1 to 127 without 125 bad, 125 says that this
 *         commit cannot be tested, 128 and more ends the bisection.
 */
import { existsSync } from "node:fs";
import { release } from "node:os";
import { exitStatus } from "../host/exit-status.ts";
import type { ExitStatus } from "../host/exit-status.ts";
import type { UnderTestOptions } from "../guest/under-test.ts";
import { EnvironmentError, UsageError } from "../case/failure.ts";
import { lacksProgram, run as runProgram } from "../system/process.ts";
import { complain } from "../text/say.ts";
import { replay } from "./replay.ts";
import { run } from "./run.ts";
import type { Variant } from "../case/variant.ts";

export interface BisectOptions extends Omit<UnderTestOptions, "kernel"> {
  /** As of a run; undefined where nobody has said. */
  kernel: string | undefined;
  /** A stored counterexample; undefined where cases are generated. */
  file: string | undefined;
  variants: readonly Variant[];
  /** Where cases are generated. */
  seconds: number;
  seed: number;
  strict: boolean;
}

/** Operations of a generated case, as of `run`. */
const MAX_LENGTH = 200;

function test({ file, seed, ...options }: BisectOptions & { kernel: string }): Promise<ExitStatus> {
  const doubtful = exitStatus.cannotTell;
  if (file !== undefined) return replay({ ...options, file, doubtful });
  return run({
    ...options,
    work: { kind: "generate", seed, cases: undefined, maxLength: MAX_LENGTH },
    jobs: 1,
    first: true,
    save: "counterexamples",
    doubtful,
  });
}

/** Whether a bisection is under way in the working folder. */
async function isBisecting(): Promise<boolean> {
  if (lacksProgram("git") !== undefined) return false;
  const { exitCode, stdout } = await runProgram("git", ["rev-parse", "--git-path", "BISECT_START"]);
  return exitCode === 0 && existsSync(stdout.trim());
}

/**
 * What is said where no kernel was named. A script that boots each kernel, and asks the machine
 * that runs it, means the running one; where a bisection is under way in the working folder it is
 * no commit of this one that runs, every step would test the same kernel, and the commit that is
 * blamed in the end would be any.
 *
 * @throws UsageError where that is so
 */
async function sayWhichKernel(): Promise<void> {
  if (await isBisecting()) {
    throw new UsageError(
      "a bisection is under way in this folder, and no kernel is named: every step would test the " +
        "running one; name what the step has built, as --kernel ./linux, or --kernel host where " +
        "the running kernel is meant",
    );
  }
  complain(`no --kernel: the running kernel is tested, ${release()}\n`);
}

/** Test the kernel. A mistake in the command ends the bisection: every step would make it. */
export async function bisectStep(options: BisectOptions): Promise<ExitStatus> {
  try {
    if (options.kernel === undefined) await sayWhichKernel();
    return await test({ ...options, kernel: options.kernel ?? "host" });
  } catch (error) {
    if (error instanceof UsageError) {
      complain(`ext4-conform: ${error.message}\n`);
      return exitStatus.endBisection;
    }
    const reason = error instanceof EnvironmentError ? error.message : String(error);
    complain(`cannot tell: ${reason}\n`);
    return exitStatus.cannotTell;
  }
}
