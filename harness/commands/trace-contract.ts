/**
 * `ext4-conform trace check --contract FILE...`: what was promised against what kernels did. No
 * model, no kernel.
 */
import { join } from "node:path";
import { variants } from "../../images/variants.ts";
import type { ModelConfig } from "../../model/tables.ts";
import { findShortest } from "../contract/shortest.ts";
import type { Finding, Findings } from "../contract/shortest.ts";
import { exitStatus } from "../host/exit-status.ts";
import type { ExitStatus } from "../host/exit-status.ts";
import { describeOperation } from "../operations/operation.ts";
import { fileWord, ownCommand } from "../host/own-command.ts";
import { counted, grouped } from "../text/numbers.ts";
import { colourWanted, say } from "../text/say.ts";
import { paintWith, printable } from "../text/terminal.ts";
import type { Paint } from "../text/terminal.ts";
import { counterexampleOf, writeCounterexample } from "../stored/counterexample.ts";
import { mustBeWritable } from "../stored/output.ts";
import type { Variant } from "../case/variant.ts";
import { fileError } from "../stored/shown.ts";
import { leewayOf } from "../trace/check.ts";
import { unendedNote } from "../trace/format.ts";
import type { TraceHeader } from "../trace/format.ts";
import type { TraceLimits } from "../trace/limits.ts";
import { readTrace } from "../trace/read.ts";
import { checkEach } from "./trace-check.ts";
import type { Tell } from "./reports.ts";
import { TraceOutcome, contractSubtest } from "./trace-outcome.ts";

/**
 * A promise that a file shows broken: in how many cases, and the shortest sequence in it that shows
 * it.
 */
function findingLines({ promise, claim, cases, shortest }: Finding, paint: Paint): string[] {
  const calls = shortest.operations.map(describeOperation).join("; ");
  return [
    `  ${paint("yellow", promise)}, in ${counted(cases, "case")}`,
    `    ${claim}`,
    `    shortest in this recording: ${calls}`,
    `    then ${shortest.broken.message} (case ${shortest.case})`,
  ];
}

/** The file system that was recorded, as one of ours: what a case needs to be run again. */
function variantOf(header: TraceHeader, { delalloc }: Pick<ModelConfig, "delalloc">): Variant {
  if (header.version !== 1) return header.variant;
  const plain = variants.find(
    (variant) =>
      variant.blockSize === header.blockSize &&
      variant.delalloc === delalloc &&
      variant.journal === "ordered" &&
      variant.mkfsOptions.length === 0,
  ) as Variant;
  const path = header.path === "iomap" ? ["buffered_iomap"] : [];
  return { ...plain, mountOptions: [...plain.mountOptions, ...path] };
}

/** Write the shortest sequence of each broken promise as a case that can be replayed; the files. */
function saveCases(folder: string, found: FoundInFile): string[] {
  return found.findings.list.map(({ promise, claim, shortest }) => {
    const path = join(folder, `${promise}.json`);
    const { operations, broken } = shortest;
    const step = operations.length - 1;
    const divergence = { step, kind: "contract", message: broken.message, operations } as const;
    writeCounterexample(path, counterexampleOf(divergence, { variant: found.variant, claim }));
    return path;
  });
}

/** What the contract says of a file, lines ending in "\n". */
export function contractText(file: string, findings: Findings, paint: Paint): string {
  const { list, cases, operations } = findings;
  const state = list.length === 0 ? paint("green", "keeps ") : paint("red", "BREAKS");
  const steps = `${grouped(operations)} of ${counted(operations, "step")} checked`;
  const what = list.length === 0 ? "every promise" : counted(list.length, "promise");
  const line = `${state}  ${printable(file)}: ${what}; ${counted(cases, "case")}, ${steps}`;
  return [line, ...list.flatMap((finding) => findingLines(finding, paint)), ""].join("\n");
}

interface FoundInFile {
  findings: Findings;
  variant: Variant;
  /** Of the recording. */
  header: TraceHeader;
}

async function findingsIn(file: string, limits: TraceLimits): Promise<FoundInFile> {
  const { header, config, cases } = await readTrace(file, limits);
  const findings = await findShortest(cases, { ...config, ...leewayOf(header) });
  if (findings.operations === 0) {
    throw fileError(file, "nothing was checked: it has no cases, or no steps in them");
  }
  return { findings, variant: variantOf(header, config), header };
}

/**
 * Hold each file against the contract, print what it breaks; the exit status. With a folder to
 * `save` in, the shortest sequences are written there.
 *
 * @throws UsageError where the folder cannot be written to
 */
export async function traceContract(
  files: readonly string[],
  limits: TraceLimits,
  save?: string,
  tell?: Tell,
): Promise<ExitStatus> {
  if (save !== undefined) mustBeWritable(save, "the shortest sequences");
  const paint = paintWith(colourWanted());
  let breaking = 0;
  let unended = 0;
  const outcome = new TraceOutcome(files, false, tell);
  const check = async (file: string): Promise<void> => {
    const started = performance.now();
    const found = await findingsIn(file, limits);
    if (found.findings.list.length > 0) breaking += 1;
    if (found.header.version === 1) unended += 1;
    say(contractText(file, found.findings, paint));
    const paths = save === undefined ? [] : saveCases(save, found);
    for (const path of paths) say(`  saved: ${ownCommand(["replay", fileWord(path)])}\n`);
    outcome.add(contractSubtest(file, found, paths, (performance.now() - started) / 1000));
  };
  const bad = await checkEach(files, check, outcome.refuse);
  const of = counted(files.length, "file");
  const unread = bad > 0 ? `; ${bad} could not be checked, see above` : "";
  const verdict =
    breaking > 0
      ? `${paint(["red", "bold"], "BREAKS")}: ${breaking} of ${of}${unread}`
      : bad > 0
        ? `${paint(["red", "bold"], "NOT CHECKED")}: ${bad} of ${of}, see above`
        : `${paint(["green", "bold"], "KEEPS")}: every promise in ${of}`;
  say(`\n${unendedNote(unended, files.length)}${verdict}\n`);
  if (breaking > 0) return exitStatus.diverges;
  return bad > 0 ? exitStatus.usage : exitStatus.conforms;
}
