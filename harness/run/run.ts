/**
 * `ext4-conform run`: the main job.
 */
import { randomInt } from "node:crypto";
import { constants, accessSync, existsSync, mkdirSync } from "node:fs";
import { arch } from "node:os";
import { join, relative } from "node:path";
import { counterexampleOf, writeCounterexample } from "../stored/counterexample.ts";
import { exitStatus } from "../exit-status.ts";
import type { ExecutorName } from "./executor.ts";
import type { ExitStatus } from "../exit-status.ts";
import { UsageError } from "../failure.ts";
import { notCompared } from "../kernel-traits.ts";
import type { KernelTraits } from "../kernel-traits.ts";
import { probeKernel } from "../kernel/probe.ts";
import type { Assignment, FoundDivergence } from "./messages.ts";
import type { RunCounts } from "./variant-run.ts";
import { packageVersion } from "../package.ts";
import { Progress } from "../report/progress.ts";
import { report } from "../report/report.ts";
import { WorkerHung, supervise } from "./supervisor.ts";
import type { SupervisorResult } from "./supervisor.ts";
import { wantsColour } from "../report/terminal.ts";
import type { Variant } from "../variant.ts";
import { variantNamed } from "../variants.ts";
import { firstDivergences, verdict } from "../report/verdict.ts";

export interface RunOptions {
  variants: readonly Variant[];
  /** Cases for each variant; else `seconds` is the limit. */
  cases: number | undefined;
  /** Seconds in all. */
  seconds: number;
  seed: number | undefined;
  jobs: number;
  maxLength: number;
  strict: boolean;
  executor: ExecutorName;
  hangSeconds: number;
  /** Folder for counterexamples. */
  save: string;
}

/** A seed that a person can type. */
export function randomSeed(): number {
  return randomInt(1, 2 ** 31);
}

function assignmentsFor(options: RunOptions, seed: number, traits: KernelTraits): Assignment[] {
  const { variants, cases, jobs, maxLength, strict, executor } = options;
  return Array.from({ length: jobs }, (_, job) => ({
    variants: variants.map(({ name }) => name),
    seed,
    cases,
    seconds: cases === undefined ? options.seconds / variants.length : undefined,
    maxLength,
    strict,
    executor,
    job,
    jobs,
    traits,
  }));
}

/** A name that is not taken yet. */
function freeName(folder: string, stem: string): string {
  for (let i = 1; ; i++) {
    const path = join(folder, i === 1 ? `${stem}.json` : `${stem}-${i}.json`);
    if (!existsSync(path)) return path;
  }
}

/** Makes the folder; what is wrong is said before the run and not when there is something to write. Throws UsageError. */
function mustBeWritable(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
    // "." in it, so that a file does not do.
    accessSync(`${folder}/.`, constants.W_OK | constants.X_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(`counterexamples cannot be written to ${folder}: ${code}`);
  }
}

/** Whether the counterexample was written; else says why not, since the report matters more. */
function saved(path: string, ...facts: Parameters<typeof counterexampleOf>): boolean {
  try {
    writeCounterexample(path, counterexampleOf(...facts));
    return true;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`ext4-conform: ${error.message}\n`);
    return false;
  }
}

/** Save a counterexample and print its report. */
function present(
  found: FoundDivergence,
  options: RunOptions,
  seed: number,
  traits: KernelTraits,
): void {
  const variant = variantNamed(found.variant);
  const kernel = { release: traits.release, path: "buffer_head" as const };
  const stem = found.case < 0 ? "corpus" : `${seed}-${found.case}`;
  const path = freeName(options.save, `${found.variant}-${stem}`);
  const claim = found.named.length > 0 ? { claim: `Known: ${found.named.join(", ")}` } : {};
  const facts = { variant, kernel, seed, found: new Date().toISOString(), ...claim };
  const strict = options.strict ? " --strict" : "";
  const command = saved(path, found.divergence, facts)
    ? `npx ext4-conform replay${strict} ${relative("", path)}`
    : `npx ext4-conform run${strict} --variant ${variant.name} --seed ${seed}`;
  const colour = wantsColour(process.stdout, process.env);
  process.stdout.write(report(found.divergence, { variant, kernel, seed, command, colour }));
  if (found.named.length > 0) {
    process.stdout.write(`  known as ${found.named.join(" and ")}\n`);
  }
  process.stdout.write("\n");
}

function presentHang(error: WorkerHung, options: RunOptions, seed: number): void {
  const left = error.stuck
    ? "The process cannot be killed; its mount stays until the next start or reboot."
    : "It was killed and cleaned up after.";
  const command = `npx ext4-conform run --variant ${error.variant} --seed ${seed}`;
  const message = `${error.message}: no system call returned for ${options.hangSeconds} s. ${left}`;
  process.stdout.write(`FAIL  the kernel hung\n\n  ${message}\n\nreplay\n  ${command}\n`);
}

/** Run, print the verdict; the exit status. Throws what the command line turns into a message. */
export async function run(options: RunOptions): Promise<ExitStatus> {
  const seed = options.seed ?? randomSeed();
  const traits = await probeKernel();
  mustBeWritable(options.save);
  const head = `ext4-conform ${packageVersion()}   kernel ${traits.release} ${arch()}   path buffer_head   seed ${seed}`;
  process.stdout.write(`${head}\n`);
  for (const line of notCompared(traits)) process.stdout.write(`note: ${line}\n`);
  process.stdout.write("\n");
  const progress = new Progress(process.stderr, options.variants.length);
  const result: SupervisorResult = { results: [], found: [] };
  let failure: unknown;
  try {
    const supervised = {
      assignments: assignmentsFor(options, seed, traits),
      hangSeconds: options.hangSeconds,
      onProgress: (job: number, variant: string, counts: RunCounts) =>
        progress.update(job, variant, counts),
    };
    await supervise(supervised, result);
  } catch (error) {
    failure = error;
  }
  progress.end();
  const first = firstDivergences(result);
  const doubtful = result.found.filter(({ confirmed }) => !confirmed);
  for (const found of [...first, ...doubtful]) present(found, options, seed, traits);
  if (failure === undefined) {
    process.stdout.write(verdict(result, wantsColour(process.stdout, process.env)));
    return result.found.length > 0 ? exitStatus.diverges : exitStatus.conforms;
  }
  if (failure instanceof WorkerHung) presentHang(failure, options, seed);
  // What stopped the run takes nothing from what was found before.
  else if (first.length === 0 || !(failure instanceof Error)) throw failure;
  else process.stderr.write(`ext4-conform: the run ended early: ${failure.message}\n`);
  return exitStatus.diverges;
}
