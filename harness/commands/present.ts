/**
 * Presenting a divergence: its counterexample saved, its report printed.
 */
import { olderThan } from "../../model/kernels/kernels.ts";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual, stripVTControlCharacters } from "node:util";
import { identityOf } from "../finding/identity.ts";
import {
  counterexampleOf,
  knownClaim,
  readCounterexample,
  writeCounterexample,
} from "../stored/counterexample.ts";
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
import type { FoundDivergence, Mounted } from "../stored/result.ts";
import { report } from "../report/report.ts";
import { asC } from "../reproducer/c.ts";
import { ranked } from "../report/ranked.ts";
import { mountedAs } from "../run/supervisor.ts";
import type { SupervisorResult } from "../run/supervisor.ts";
import { colourWanted, complain, say } from "../text/say.ts";
import { printable } from "../text/terminal.ts";
import { variantNamed } from "../under-test/variants.ts";

/** Behind other words of a line: "   seed 7"; nothing where nothing is generated. */
export const seedText = (seed: number | undefined): string =>
  seed === undefined ? "" : `   seed ${seed}`;

/** Of a kernel from before those that the model follows. */
function tooOld({ release }: Pick<KernelTraits, "release">): string[] {
  const oldest = olderThan(release);
  if (oldest === undefined) return [];
  return [
    `the model follows kernels from ${oldest} on: what ${release} does otherwise is a finding, behind which the contract alone judges`,
  ];
}

/** The first lines: what runs, on which kernel. */
export function printHead({ kernel, traits, seed }: Facts): void {
  // What every guest has on its command line is ten times as long, and in `--result`.
  const appended = printable(kernel.append.join(" "));
  const where = kernel.guest ? `${kernel.kind}, ${kernel.what}` : kernel.kind;
  const lines = [
    `ext4-conform ${packageVersion()}   kernel ${traits.release} ${traits.machine} (${where})${seedText(seed)}`,
    ...(kernel.append.length > 0 ? [`appended to its command line: ${appended}`] : []),
    ...(traits.bufferedIomap ? ["buffered_iomap is offered: run with and without"] : []),
    ...[...tooOld(traits), ...notCompared(traits)].map((line) => `note: ${line}`),
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

/** The same case, in the same file system, that shows the same. */
function isSame(path: string, counterexample: Counterexample): boolean {
  try {
    const there = readCounterexample(path);
    const [is, should] = [there, counterexample].map((one) => [
      one.variant.name,
      one.divergence,
      one.operations,
      one.before,
    ]);
    return isDeepStrictEqual(is, should);
  } catch {
    return false;
  }
}

/**
 * The file for a counterexample, by what it is: the same case has the same file, whichever run
 * finds it.
 */
function fileFor(folder: string, counterexample: Counterexample): string {
  const { variant, divergence, operations, before } = counterexample;
  const hash = createHash("sha256")
    .update(JSON.stringify([operations, before]))
    .digest("hex");
  const stem = `${variant.name}-${divergence!.kind}-${hash.slice(0, 6)}`;
  for (let i = 1; ; i++) {
    const path = join(folder, i === 1 ? `${stem}.json` : `${stem}-${i}.json`);
    if (!existsSync(path) || isSame(path, counterexample)) return path;
  }
}

/**
 * The file that has the counterexample, written where it is not there; undefined where it cannot be
 * written, which is said, since the report matters more.
 */
function saved(folder: string, counterexample: Counterexample): string | undefined {
  const path = fileFor(folder, counterexample);
  if (existsSync(path)) return path;
  try {
    writeCounterexample(path, counterexample);
    return path;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    complain(`ext4-conform: ${error.message}\n`);
    return undefined;
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

/** A divergence as it was presented. */
export interface Presented {
  found: FoundDivergence;
  /** File of the counterexample; absent where none was written. */
  counterexample?: string;
  /** What shows it again. */
  command: string;
  /** Without colour. */
  report: string;
}

/** Where the counterexamples are. */
export const filesOf = (presented: readonly Presented[]): Map<FoundDivergence, string> =>
  new Map(
    presented.flatMap(({ found, counterexample }) =>
      counterexample === undefined ? [] : [[found, counterexample] as const],
    ),
  );

/** Presents the findings of a run, each when it is told of. */
export class Presenter {
  readonly #told: Told;
  readonly #save: string | undefined;
  readonly #print: (text: string) => void;
  /** Identities of those whose report was printed. */
  readonly #reported = new Set<string>();
  /** Of one that was confirmed later, as it was presented last. */
  readonly #presented = new Map<FoundDivergence, Presented>();

  /** @param save folder for counterexamples; undefined where none are written */
  constructor(told: Told, save: string | undefined, print: (text: string) => void = say) {
    this.#told = told;
    this.#save = save;
    this.#print = print;
  }

  get presented(): Presented[] {
    return [...this.#presented.values()];
  }

  /**
   * Save a counterexample, and print its report. What was reported of another variant, or was
   * accepted, has a line only.
   */
  present(found: FoundDivergence, mounted: Mounted): Presented {
    const { presented, text, exported } = this.#prepared(found, mounted);
    const identity = identityOf(found.divergence);
    const isNew = !this.#reported.has(identity) && found.accepted === undefined;
    this.#reported.add(identity);
    this.#print(isNew ? text + this.#notes(found, exported) : briefly(found, "The same"));
    return presented;
  }

  /** The same of what was reported once, when it was found: a line. */
  recall(found: FoundDivergence, mounted: Mounted): void {
    if (this.#presented.has(found)) return;
    this.#prepared(found, mounted);
    this.#print(briefly(found, "Found before"));
  }

  /** Its report, and the file of which there is a program. */
  #prepared(
    found: FoundDivergence,
    mounted: Mounted,
  ): { presented: Presented; text: string; exported: string | undefined } {
    const { seed, traits } = this.#told;
    const variant = variantNamed(found.variant);
    const { release } = traits;
    const kernel = { release, path: mounted.path ?? ("buffer_head" as const) };
    const { named, breaks, passed } = found;
    const from = seed === undefined ? {} : { seed };
    const when = { found: new Date().toISOString() };
    const stored = { variant, kernel, ...from, ...when, ...knownClaim(named) };
    const counterexample = counterexampleOf(found.divergence, stored);
    const keeps = found.divergence.operations.length > 0 && found.accepted === undefined;
    const save = keeps ? this.#save : undefined;
    const file = save === undefined ? undefined : saved(save, counterexample);
    const command = this.#commandFor(found, file);
    const known = { mountOptions: mounted.options, seed, named, breaks, passed };
    const seen = { release, path: mounted.path ?? "not known" };
    const context = { variant, kernel: seen, command, program: ownCommand([]), ...known };
    const text = report(found.divergence, { ...context, colour: colourWanted() });
    const place = file === undefined ? {} : { counterexample: file };
    const plain = stripVTControlCharacters(text);
    const presented = { found, ...place, command, report: plain };
    this.#presented.set(found, presented);
    const isC = file !== undefined && isExpressible(counterexample, traits.release);
    return { presented, text, exported: isC ? file : undefined };
  }

  /** The command that shows it again. */
  #commandFor({ variant }: FoundDivergence, file: string | undefined): string {
    const { kernel, options, seed } = this.#told;
    const flags = [...kernelWords(kernel), ...(options.strict ? ["--strict"] : [])];
    return file === undefined
      ? ownCommand(["run", ...flags, "--variant", variant, ...seedFlags(seed)])
      : ownCommand(["replay", ...flags, fileWord(file)]);
  }

  /** @param exported the file of which there is a program */
  #notes({ named, confirmed }: FoundDivergence, exported: string | undefined): string {
    const lines = [
      ...(named.length > 0 ? [`known as ${printable(named.join(" and "))}`] : []),
      ...(exported === undefined
        ? []
        : [`as a program: ${ownCommand(["export", fileWord(exported), "--as", "c"])}`]),
      ...(confirmed ? [] : ["A fresh image did not show it again."]),
    ];
    return `${lines.map((line) => `  ${line}\n`).join("")}\n`;
  }
}

/** A finding of which the reader knows, in the word `how`. */
function briefly(
  { variant, divergence: { message }, accepted }: FoundDivergence,
  how: string,
): string {
  const known = accepted === undefined ? how : "Accepted";
  const by = accepted === undefined ? "" : ` (${accepted})`;
  return `${printable(`${known} in ${variant}: ${message}${by}`)}\n\n`;
}

/** Print what was found in a run that is over, the worst first. */
export function presentFound(
  result: SupervisorResult,
  told: Told,
  save: string,
): readonly Presented[] {
  const presenter = new Presenter(told, save);
  for (const { found } of ranked(result.found)) {
    for (const one of found) presenter.present(one, mountedAs(result, one.variant));
  }
  return presenter.presented;
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

/** What is said of a kernel that did not come back, where there is no other to go on with. */
export function lostText(error: WorkerLost, command: string): string {
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
  return `${lines.join("\n")}\n`;
}

/** Say so. */
export function presentLost(error: WorkerLost, command: string): void {
  say(lostText(error, command));
}
