/**
 * Result files: what a run came to, as JSON for other programs.
 */
import { writeFileSync } from "node:fs";
import { UsageError } from "../failure.ts";
import type { KernelTraits } from "../kernel-traits.ts";
import type { FoundDivergence } from "./messages.ts";
import { packageVersion } from "../package.ts";
import { confirmedDivergences } from "../report/verdict.ts";
import type { JobResult, SupervisorResult } from "./supervisor.ts";

/** The kernel that a run was on. */
export interface TestedKernel {
  /** As the user named it. */
  what: string;
  /** "user-mode Linux" */
  kind: string;
  /** /proc/cmdline */
  commandLine: string;
  traits: KernelTraits;
}

export interface RunResult {
  format: "ext4-conform result";
  version: 1;
  tool: string;
  kernel: TestedKernel;
  seed: number;
  /** From the command to the verdict. */
  seconds: number;
  /** From the command to the first case that failed; absent where none did. */
  divergedAfter?: number;
  /** not-reproduced: seen once, and not again on a fresh image. */
  verdict: "conforms" | "diverges" | "not-reproduced";
  /** One for each job and variant. */
  variants: JobResult[];
  divergences: FoundDivergence[];
}

/** What a run came to that began at `started` (Date.now()) and ends now. */
export function resultOf(
  result: SupervisorResult,
  kernel: TestedKernel,
  seed: number,
  started: number,
): RunResult {
  const since = (time: number): number => (time - started) / 1000;
  const { divergedAt } = result;
  const confirmed = confirmedDivergences(result).length > 0;
  const verdict = confirmed ? "diverges" : result.found.length > 0 ? "not-reproduced" : "conforms";
  return {
    format: "ext4-conform result",
    version: 1,
    tool: packageVersion(),
    kernel,
    seed,
    seconds: since(Date.now()),
    ...(divergedAt === undefined ? {} : { divergedAfter: since(divergedAt) }),
    verdict,
    variants: result.results,
    divergences: result.found,
  };
}

/** Throws UsageError where the file cannot be written. */
export function writeResult(file: string, result: RunResult): void {
  try {
    writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(`the result cannot be written to ${file}: ${code}`);
  }
}
