/**
 * `ext4-conform bisect-step`: one step of `git bisect run`, with the exit status that it wants.
 *
 * Source: git-bisect(1), "bisect run": 0 is good, 1 to 127 without 125 bad, 125 says that this
 *         commit cannot be tested, 128 and more ends the bisection.
 */
import { exitStatus } from "../host/exit-status.ts";
import type { ExitStatus } from "../host/exit-status.ts";
import type { UnderTestOptions } from "../guest/under-test.ts";
import { EnvironmentError, UsageError } from "../case/failure.ts";
import { replay } from "./replay.ts";
import { run } from "./run.ts";
import type { Variant } from "../case/variant.ts";

export interface BisectOptions extends UnderTestOptions {
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

function test({ file, seed, ...options }: BisectOptions): Promise<ExitStatus> {
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

/** Test the kernel. A mistake in the command ends the bisection: every step would make it. */
export async function bisectStep(options: BisectOptions): Promise<ExitStatus> {
  try {
    return await test(options);
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`ext4-conform: ${error.message}\n`);
      return exitStatus.endBisection;
    }
    const reason = error instanceof EnvironmentError ? error.message : String(error);
    process.stderr.write(`cannot tell: ${reason}\n`);
    return exitStatus.cannotTell;
  }
}
