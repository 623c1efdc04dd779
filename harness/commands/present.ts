/**
 * Presenting a divergence: its counterexample saved, its report printed.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { counterexampleOf, writeCounterexample } from "../stored/counterexample.ts";
import type { Counterexample } from "../stored/counterexample.ts";
import { UsageError } from "../case/failure.ts";
import { notCompared } from "../under-test/kernel-traits.ts";
import type { KernelTraits } from "../under-test/kernel-traits.ts";
import { fileWord, ownCommand } from "../host/own-command.ts";
import { packageVersion } from "../host/package.ts";
import type { Facts } from "../run/perform.ts";
import type { WorkerLost } from "../run/conversation.ts";
import { kernelWords } from "../workers/link.ts";
import type { KernelUnderTest } from "../workers/link.ts";
import { lostDivergence } from "../run/crash-triage.ts";
import type { FoundDivergence } from "../stored/result.ts";
import { report } from "../report/report.ts";
import { asC } from "../reproducer/c.ts";
import { firstDivergences } from "../report/verdict.ts";
import { mountedAs } from "../run/supervisor.ts";
import type { SupervisorResult } from "../run/supervisor.ts";
import { colourWanted, complain, say } from "../text/say.ts";
import { printable } from "../text/terminal.ts";
import { variantNamed } from "../under-test/variants.ts";

/** Behind other words of a line: "   seed 7"; nothing where nothing is generated. */
export const seedText = (seed: number | undefined): string =>
  seed === undefined ? "" : `   seed ${seed}`;

/** The first lines: what runs, on which kernel. */
export function printHead({ kernel, traits, commandLine, seed }: Facts): void {
  const where = kernel.guest ? `${kernel.kind}, ${kernel.what}` : kernel.kind;
  const lines = [
    `ext4-conform ${packageVersion()}   kernel ${traits.release} ${traits.machine} (${where})${seedText(seed)}`,
    ...(kernel.guest ? [`command line: ${commandLine}`] : []),
    ...(traits.bufferedIomap ? ["buffered_iomap is offered: run with and without"] : []),
    ...notCompared(traits).map((line) => `note: ${line}`),
  ];
  say(`${lines.join("\n")}\n\n`);
}

/** What a report says of the run. */
interface Told {
  kernel: Pick<KernelUnderTest, "what" | "guest" | "append">;
  traits: Pick<KernelTraits, "release">;
  seed?: number | undefined;
  options: { strict: boolean };
}

const seedFlags = (seed: number | undefined): string[] =>
  seed === undefined ? [] : ["--seed", String(seed)];

/** A name that is not taken yet. */
function freeName(folder: string, stem: string): string {
  for (let i = 1; ; i++) {
    const path = join(folder, i === 1 ? `${stem}.json` : `${stem}-${i}.json`);
    if (!existsSync(path)) return path;
  }
}

/** Whether the counterexample was written; else says why not, since the report matters more. */
function saved(path: string, counterexample: Counterexample): boolean {
  try {
    writeCounterexample(path, counterexample);
    return true;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    complain(`ext4-conform: ${error.message}\n`);
    return false;
  }
}

/**
 * Whether the case can be written as a C program. Whatever says that it cannot, the model's own
 * assertions too, is told by `export`: the report goes on.
 */
function isExpressible(counterexample: Counterexample, release: string): boolean {
  try {
    asC(counterexample, release);
    return true;
  } catch {
    return false;
  }
}

/** Save a counterexample and print its report. */
export function present(
  found: FoundDivergence,
  told: Told,
  result: SupervisorResult,
  save: string,
): void {
  const { seed, options, traits } = told;
  const variant = variantNamed(found.variant);
  const mounted = mountedAs(result, found.variant);
  const kernel = { release: traits.release, path: mounted.path ?? ("buffer_head" as const) };
  const stem = found.case < 0 ? "corpus" : `${seed ?? "case"}-${found.case}`;
  const path = freeName(save, `${found.variant}-${stem}`);
  const claim = found.named.length > 0 ? { claim: `Known: ${found.named.join(", ")}` } : {};
  const from = seed === undefined ? {} : { seed };
  const stored = { variant, kernel, ...from, found: new Date().toISOString(), ...claim };
  const flags = [...kernelWords(told.kernel), ...(options.strict ? ["--strict"] : [])];
  const counterexample = counterexampleOf(found.divergence, stored);
  const keeps = found.divergence.operations.length > 0 && saved(path, counterexample);
  const command = keeps
    ? ownCommand(["replay", ...flags, fileWord(path)])
    : ownCommand(["run", ...flags, "--variant", variant.name, ...seedFlags(seed)]);
  const colour = colourWanted();
  const context = { variant, kernel, mountOptions: mounted.options, seed, command, colour };
  say(report(found.divergence, context));
  if (found.named.length > 0) {
    say(`  known as ${printable(found.named.join(" and "))}\n`);
  }
  if (keeps && isExpressible(counterexample, traits.release))
    say(`  as a program: ${ownCommand(["export", fileWord(path), "--as", "c"])}\n`);
  if (!found.confirmed) say("  A fresh image did not show it again.\n");
  say("\n");
}

/** Present the first divergence of each variant, and all that a fresh image did not show again. */
export function presentFound(result: SupervisorResult, told: Told, save: string): void {
  const doubtful = result.found.filter(({ confirmed }) => !confirmed);
  for (const found of [...firstDivergences(result), ...doubtful]) {
    present(found, told, result, save);
  }
}

/** The command that runs again what a worker was lost in. */
export function runAgain(
  { where: { variant } }: WorkerLost,
  { kernel, seed }: Pick<Told, "kernel" | "seed">,
  { strict }: Told["options"],
): string {
  const flags = [...kernelWords(kernel), ...(variant === "" ? [] : ["--variant", variant])];
  return ownCommand(["run", ...flags, ...seedFlags(seed), ...(strict ? ["--strict"] : [])]);
}

/** The kernel did not come back, and there is no other to go on with. */
export function presentLost(error: WorkerLost, command: string): void {
  const { kind, message, evidence } = lostDivergence(error, error.where.variant, []);
  const left = error.stuck
    ? "The process cannot be killed; its mount stays until the next start or reboot."
    : "It was killed and cleaned up after.";
  const lines = [
    `FAIL  the kernel ${kind === "hang" ? "hung" : "went down"}`,
    "",
    printable(`  ${error.message}: ${message}. ${left}`),
    ...(evidence ?? []).map((line) => `  | ${printable(line.replaceAll("\t", " "))}`),
    "",
    "replay",
    `  ${command}`,
  ];
  say(`${lines.join("\n")}\n`);
}
