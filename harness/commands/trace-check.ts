/**
 * `ext4-conform trace check FILE...`: the model against what kernels did, no kernel needed.
 */
import { knownDeviations } from "../../model/deviations/index.ts";
import type { Deviation } from "../../model/deviations/index.ts";
import { exitStatus } from "../host/exit-status.ts";
import type { ExitStatus } from "../host/exit-status.ts";
import { UsageError } from "../case/failure.ts";
import { fileWord, ownCommand } from "../host/own-command.ts";
import { namesIn, noSuch } from "../text/no-such.ts";
import { LiveLine } from "../text/live-line.ts";
import { counted, grouped } from "../text/numbers.ts";
import { report } from "../report/report.ts";
import { colourWanted, complain, say } from "../text/say.ts";
import { paintWith, printable } from "../text/terminal.ts";
import type { Paint } from "../text/terminal.ts";
import { checkFile, nameOf } from "../trace/check.ts";
import type { CheckOptions, Counts, FileResult } from "../trace/check.ts";
import { unendedNote } from "../trace/format.ts";
import type { TraceLimits } from "../trace/limits.ts";
import type { Tell } from "./reports.ts";
import { TraceOutcome, checkedSubtest } from "./trace-outcome.ts";

export interface CheckCommandOptions {
  files: readonly string[];
  /** No deviation is allowed. */
  strict: boolean;
  /**
   * Ids of the deviations to follow, commas between them; undefined for those that turn out to be
   * needed.
   */
  deviation: string | undefined;
  /** Number of the only case to be checked. */
  case: number | undefined;
  limits: TraceLimits;
  /** Hears what it came to by now, after each file. */
  tell?: Tell | undefined;
}

/**
 * The deviations with these ids. Throws UsageError where there is none, and says which there are.
 */
export function deviationsNamed(ids: string): Deviation[] {
  return namesIn(ids).map((name) => {
    const deviation = knownDeviations.find(({ id }) => id === name);
    if (deviation !== undefined) return deviation;
    const known = knownDeviations.map(({ id }) => id);
    throw new UsageError(noSuch("deviation", name, known));
  });
}

/** "3,400 of 3,472 steps compared" */
function comparedText({ compared, steps }: Counts): string {
  return `${grouped(compared)} of ${counted(steps, "step")} compared`;
}

/** The lines of a file. */
export function fileLine(result: FileResult, paint: Paint): string {
  const { cases, diverging, parts, compared, seconds, handedOver } = result;
  const state = diverging === 0 ? paint("green", "agrees  ") : paint("red", "DIVERGES");
  const which =
    diverging === 0
      ? counted(cases, "case")
      : `in ${grouped(diverging)} of ${counted(cases, "case")}`;
  const speed = `${grouped(compared / Math.max(seconds, 1e-6))} steps/s`;
  const needed = [...parts].map(([id, n]) => `${paint("yellow", id)} in ${counted(n, "case")}`);
  const deviations = needed.length === 0 ? "no deviation" : needed.join(", ");
  const alone =
    handedOver === 0 ? "" : `; the end of ${counted(handedOver, "case")} by the contract alone`;
  const facts = `${which}, ${comparedText(result)}, ${speed}; ${deviations}${alone}`;
  const note = result.guessed === undefined ? "" : `\n  ${printable(result.guessed)}`;
  return `${state}  ${printable(result.file)}\n  ${facts}${note}`;
}

/** The command that shows the first divergence of a file again. */
export function replayCommand(result: FileResult, strict: boolean): string {
  const ids = result.deviations.map(({ id }) => id).join(",");
  const allowed = strict ? ["--strict"] : ids === "" ? [] : ["--deviation", ids];
  const number = String(result.first?.number ?? 0);
  return ownCommand(["trace", "check", ...allowed, "--case", number, "--", fileWord(result.file)]);
}

/** The report of the first divergence of a file; "" where there is none. */
export function fileReport(result: FileResult, strict: boolean, colour: boolean): string {
  const { first, header, config, file, deviations } = result;
  if (first === undefined) return "";
  const text = report(first.divergence, {
    variant: {
      name: nameOf(header),
      blockSize: (header.version === 1 ? header : header.variant).blockSize,
    },
    kernel: { release: header.kernel, path: config.path },
    seed: header.seed,
    command: replayCommand(result, strict),
    colour,
  });
  const ids = deviations.map(({ id }) => id).join(", ");
  const taken = ids === "" ? "no deviation explains it" : `not explained by ${ids} or more`;
  const why = strict ? "no deviation was allowed" : taken;
  return `${text}  case ${first.number}, line ${first.line} of ${printable(file)}; ${why}\n\n`;
}

/** The deviations that were taken, each with what it claims and the file that says why. */
function takenLines(results: readonly FileResult[], paint: Paint): string {
  const taken = new Set(results.flatMap(({ deviations }) => deviations));
  if (taken.size === 0) return "";
  const lines = [...taken].flatMap(({ id, claim }) => [
    `  ${paint("yellow", id)}`,
    `    ${claim}`,
    `    why: model/deviations/${id}.ts`,
  ]);
  return `\nknown deviations that were taken (--strict takes none)\n${lines.join("\n")}\n`;
}

/** What all files together came to. `bad` of them could not be checked. */
export function closing(results: readonly FileResult[], bad: number, paint: Paint): string {
  const sum = (of: keyof Counts): number =>
    results.reduce((total, result) => total + result[of], 0);
  const all = { cases: sum("cases"), steps: sum("steps"), compared: sum("compared") };
  const ran = `${counted(all.cases, "case")}, ${comparedText(all)}`;
  const diverging = results.filter((result) => result.diverging > 0).length;
  const ofFiles = `of ${counted(results.length + bad, "file")}`;
  const unread = bad === 0 ? "" : `; ${bad} ${ofFiles} could not be checked, see above`;
  if (diverging > 0) {
    return `${paint(["red", "bold"], "DIVERGES")}: ${diverging} ${ofFiles}; ${ran}${unread}`;
  }
  if (bad > 0) return `${paint(["red", "bold"], "NOT CHECKED")}: ${ran}${unread}`;
  const which = results.length === 1 ? "the file" : `all ${results.length} files`;
  const deviating = results.filter(({ deviations }) => deviations.length > 0).length;
  const some = results.length === 1 ? "" : ` in ${deviating} of them`;
  const taken = deviating === 0 ? "" : `, known deviations taken${some}`;
  return `${paint(["green", "bold"], "AGREES")}: the model with ${which}${taken}; ${ran}`;
}

/**
 * Check one file after the other, and say which cannot be checked; how many those are. `refused`
 * hears which, and why.
 */
export async function checkEach(
  files: readonly string[],
  check: (file: string) => Promise<void>,
  refused: (file: string, reason: string) => void,
): Promise<number> {
  let bad = 0;
  for (const file of files) {
    try {
      await check(file);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      complain(`ext4-conform: ${error.message}\n`);
      refused(file, error.message);
      bad += 1;
    }
  }
  return bad;
}

/** Check a file and print what it came to. */
async function checkAndPrint(
  file: string,
  options: CheckOptions,
  strict: boolean,
): Promise<FileResult> {
  const colour = colourWanted();
  const line = new LiveLine(process.stderr);
  const onCase = ({ cases, compared }: Counts): void =>
    line.show(() => `${printable(file)}: ${counted(cases, "case")}, ${counted(compared, "step")}`);
  const result = await checkFile(file, { ...options, onCase }).finally(() => line.end());
  say(fileReport(result, strict, colour));
  say(`${fileLine(result, paintWith(colour))}\n`);
  return result;
}

/**
 * Check files, print the verdict; the exit status. A divergence is the finding, whatever else is
 * wrong with other files.
 *
 * @throws UsageError where what was asked for makes no sense
 */
export async function traceCheck(options: CheckCommandOptions): Promise<ExitStatus> {
  const { files, strict, deviation, limits } = options;
  const usual = strict ? ("none" as const) : ("needed" as const);
  const allowed = deviation === undefined ? usual : deviationsNamed(deviation);
  const checkOptions = { allowed, only: options.case, limits };
  const results: FileResult[] = [];
  const outcome = new TraceOutcome(files, strict, options.tell);
  const check = async (file: string): Promise<void> => {
    const result = await checkAndPrint(file, checkOptions, strict);
    results.push(result);
    const plain = fileReport(result, strict, false);
    outcome.add(checkedSubtest(result, plain, replayCommand(result, strict)));
  };
  const bad = await checkEach(files, check, outcome.refuse);
  const paint = paintWith(colourWanted());
  say(takenLines(results, paint));
  const unended = results.filter(({ header }) => header.version === 1).length;
  say(`\n${unendedNote(unended, files.length)}${closing(results, bad, paint)}\n`);
  if (results.some(({ diverging }) => diverging > 0)) return exitStatus.diverges;
  return bad > 0 ? exitStatus.usage : exitStatus.conforms;
}
