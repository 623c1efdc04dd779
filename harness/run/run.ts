/**
 * `ext4-conform run`: the main job.
 */
import { constants, accessSync, existsSync, mkdirSync } from "node:fs";
import { join, relative } from "node:path";
import { mustBeReportable, reportCoverage } from "../coverage/report.ts";
import type { CoverageOptions } from "../coverage/report.ts";
import { counterexampleOf, writeCounterexample } from "../stored/counterexample.ts";
import { exitStatus } from "../exit-status.ts";
import type { ExitStatus } from "../exit-status.ts";
import { EnvironmentError, UsageError } from "../failure.ts";
import { notCompared } from "../kernel-traits.ts";
import { WorkerLost } from "./conversation.ts";
import { kernelFlag } from "./link.ts";
import { lostDivergence } from "./lost.ts";
import type { FoundDivergence } from "./messages.ts";
import { perform } from "./perform.ts";
import type { Facts, PerformOptions, Performed } from "./perform.ts";
import { resultOf, writeResult } from "./result.ts";
import { packageVersion } from "../package.ts";
import { counted } from "../report/progress.ts";
import { report } from "../report/report.ts";
import { mountedAs } from "./supervisor.ts";
import type { SupervisorResult } from "./supervisor.ts";
import { wantsColour } from "../report/terminal.ts";
import { variantNamed } from "../variants.ts";
import { firstDivergences, verdict } from "../report/verdict.ts";

export interface RunOptions extends PerformOptions {
  /** Folder for counterexamples. */
  save: string;
  /** The exit status where something was seen once, and not again on a fresh image. */
  doubtful?: ExitStatus;
  /** File for what the run came to, as JSON. */
  result: string | undefined;
  /** What is to be reported of the lines of the kernel that ran; undefined where nothing is. */
  coverage?: CoverageOptions | undefined;
}

/** A name that is not taken yet. */
function freeName(folder: string, stem: string): string {
  for (let i = 1; ; i++) {
    const path = join(folder, i === 1 ? `${stem}.json` : `${stem}-${i}.json`);
    if (!existsSync(path)) return path;
  }
}

/** Makes the folder; what is wrong is said before the run and not when there is something to write. Throws UsageError. */
export function mustBeWritable(folder: string): void {
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
export function present(
  found: FoundDivergence,
  facts: Facts,
  result: SupervisorResult,
  save: string,
): void {
  const { options, seed, traits } = facts;
  const variant = variantNamed(found.variant);
  const mounted = mountedAs(result, found.variant);
  const kernel = { release: traits.release, path: mounted.path ?? ("buffer_head" as const) };
  const stem = found.case < 0 ? "corpus" : `${seed}-${found.case}`;
  const path = freeName(save, `${found.variant}-${stem}`);
  const claim = found.named.length > 0 ? { claim: `Known: ${found.named.join(", ")}` } : {};
  const stored = { variant, kernel, seed, found: new Date().toISOString(), ...claim };
  const flags = `${kernelFlag(facts.kernel)}${options.strict ? " --strict" : ""}`;
  const keeps = found.divergence.operations.length > 0 && saved(path, found.divergence, stored);
  const command = keeps
    ? `npx ext4-conform replay${flags} ${relative("", path)}`
    : `npx ext4-conform run${flags} --variant ${variant.name} --seed ${seed}`;
  const colour = wantsColour(process.stdout, process.env);
  const context = { variant, kernel, mountOptions: mounted.options, seed, command, colour };
  process.stdout.write(report(found.divergence, context));
  if (found.named.length > 0) {
    process.stdout.write(`  known as ${found.named.join(" and ")}\n`);
  }
  if (!found.confirmed) process.stdout.write("  A fresh image did not show it again.\n");
  process.stdout.write("\n");
}

/** The kernel did not come back, and there is no other to go on with. */
export function presentLost(error: WorkerLost, { kernel, seed }: Performed, strict: boolean): void {
  const { variant } = error.where;
  const { kind, message, evidence } = lostDivergence(error, variant, []);
  const left = error.stuck
    ? "The process cannot be killed; its mount stays until the next start or reboot."
    : "It was killed and cleaned up after.";
  const flags = `${kernelFlag(kernel)}${variant === "" ? "" : ` --variant ${variant}`}`;
  const lines = [
    `FAIL  the kernel ${kind === "hang" ? "hung" : "went down"}`,
    "",
    `  ${error.message}: ${message}. ${left}`,
    ...(evidence ?? []).map((line) => `  | ${line}`),
    "",
    "replay",
    `  npx ext4-conform run${flags} --seed ${seed}${strict ? " --strict" : ""}`,
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}

function printHead({ kernel, traits, commandLine, seed }: Facts): void {
  const where = kernel.guest ? `${kernel.kind}, ${kernel.what}` : kernel.kind;
  const lines = [
    `ext4-conform ${packageVersion()}   kernel ${traits.release} ${traits.machine} (${where})   seed ${seed}`,
    ...(kernel.guest ? [`command line: ${commandLine}`] : []),
    ...(traits.bufferedIomap ? ["buffered_iomap is offered: run with and without"] : []),
    ...notCompared(traits).map((line) => `note: ${line}`),
  ];
  process.stdout.write(`${lines.join("\n")}\n\n`);
}

/** What is said beside a verdict of the lines of the kernel that ran. A failure takes nothing from the verdict. */
async function presentCoverage(
  { kernels, guestsLost }: SupervisorResult,
  options: CoverageOptions,
): Promise<void> {
  try {
    const colour = wantsColour(process.stdout, process.env);
    process.stdout.write(`\n${await reportCoverage(kernels, options, colour)}`);
    if (guestsLost > 0) {
      const guests = counted(guestsLost, "guest");
      process.stdout.write(`note: ${guests} went down; what ran there is not counted\n`);
    }
  } catch (error) {
    if (!(error instanceof EnvironmentError || error instanceof UsageError)) throw error;
    process.stderr.write(`ext4-conform: no coverage: ${error.message}\n`);
  }
}

/** Throws UsageError where coverage cannot be had as asked. */
function prepareCoverage({ coverage, kernel }: RunOptions): void {
  if (coverage === undefined) return;
  if (kernel === "host") {
    throw new UsageError("--coverage needs --kernel: only in a guest are the counters this run's");
  }
  mustBeReportable(coverage);
}

/** Run, print the verdict; the exit status. Throws what the command line turns into a message. */
export async function run(options: RunOptions): Promise<ExitStatus> {
  prepareCoverage(options);
  const counts = options.coverage !== undefined;
  const performed = await perform({ ...options, counts }, (facts) => {
    mustBeWritable(options.save);
    printHead(facts);
  });
  const { facts, result, failure, kernel, seed, started } = performed;
  const first = firstDivergences(result);
  const doubtful = result.found.filter(({ confirmed }) => !confirmed);
  if (facts !== undefined) {
    for (const found of [...first, ...doubtful]) present(found, facts, result, options.save);
  }
  if (failure === undefined && facts !== undefined) {
    process.stdout.write(verdict(result, wantsColour(process.stdout, process.env)));
    const { traits, commandLine } = facts;
    const about = { what: kernel.what, kind: kernel.kind, commandLine, traits };
    if (options.result !== undefined) {
      writeResult(options.result, resultOf(result, about, seed, started));
    }
    if (options.coverage !== undefined) await presentCoverage(result, options.coverage);
    if (result.found.length === 0) return exitStatus.conforms;
    return first.length > 0 ? exitStatus.diverges : (options.doubtful ?? exitStatus.diverges);
  }
  if (failure instanceof WorkerLost) presentLost(failure, performed, options.strict);
  // What stopped the run takes nothing from what was found before.
  else if (first.length === 0 || !(failure instanceof Error)) throw failure;
  else process.stderr.write(`ext4-conform: the run ended early: ${failure.message}\n`);
  return exitStatus.diverges;
}
