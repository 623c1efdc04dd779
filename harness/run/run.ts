/**
 * `ext4-conform run`: the main job.
 */
import { randomInt } from "node:crypto";
import { existsSync } from "node:fs";
import { arch } from "node:os";
import { join, relative } from "node:path";
import { counterexampleOf, writeCounterexample } from "../stored/counterexample.ts";
import { divergence } from "../divergence.ts";
import { exitStatus } from "../exit-status.ts";
import type { ExecutorName } from "./executor.ts";
import type { ExitStatus } from "../exit-status.ts";
import type { KernelTraits } from "../kernel-traits.ts";
import { probeKernel } from "../kernel/probe.ts";
import type { Assignment, FoundDivergence } from "./messages.ts";
import { packageVersion } from "../package.ts";
import { Progress } from "../report/progress.ts";
import { report } from "../report/report.ts";
import { WorkerHung, supervise } from "./supervisor.ts";
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
  writeCounterexample(path, counterexampleOf(found.divergence, facts));
  const strict = options.strict ? " --strict" : "";
  const command = `npx ext4-conform replay${strict} ${relative("", path)}`;
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
  const finding = divergence({
    variant: error.variant,
    step: 0,
    operations: [],
    kind: "hang",
    message: `${error.message}: no system call returned for ${options.hangSeconds} s. ${left}`,
  });
  process.stdout.write(`FAIL  the kernel hung\n\n  ${finding.message}\n\nreplay\n  ${command}\n`);
}

/** Run, print the verdict; the exit status. Throws what the command line turns into a message. */
export async function run(options: RunOptions): Promise<ExitStatus> {
  const seed = options.seed ?? randomSeed();
  const traits = await probeKernel();
  const head = `ext4-conform ${packageVersion()}   kernel ${traits.release} ${arch()}   path buffer_head   seed ${seed}`;
  process.stdout.write(`${head}\n\n`);
  const progress = new Progress(process.stderr, options.variants.length);
  try {
    const result = await supervise({
      assignments: assignmentsFor(options, seed, traits),
      hangSeconds: options.hangSeconds,
      onProgress: (job, variant, counts) => progress.update(job, variant, counts),
    });
    progress.end();
    const first = firstDivergences(result);
    const doubtful = result.found.filter(({ confirmed }) => !confirmed);
    for (const found of [...first, ...doubtful]) present(found, options, seed, traits);
    process.stdout.write(verdict(result, wantsColour(process.stdout, process.env)));
    return first.length > 0 ? exitStatus.diverges : exitStatus.conforms;
  } catch (error) {
    progress.end();
    if (!(error instanceof WorkerHung)) throw error;
    presentHang(error, options, seed);
    return exitStatus.diverges;
  }
}
