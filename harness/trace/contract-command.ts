/**
 * `ext4-conform trace check --contract FILE...`: what was promised against what kernels did. No model, no kernel.
 */
import { findShortest } from "../contract/shortest.ts";
import type { Finding, Findings } from "../contract/shortest.ts";
import { exitStatus } from "../exit-status.ts";
import type { ExitStatus } from "../exit-status.ts";
import { UsageError } from "../failure.ts";
import { describeOperation } from "../operation.ts";
import { counted, grouped } from "../report/progress.ts";
import { paintWith, printable, wantsColour } from "../report/terminal.ts";
import type { Paint } from "../report/terminal.ts";
import { fileError } from "./fault.ts";
import type { TraceLimits } from "./limits.ts";
import { readTrace } from "./read.ts";

/** A promise that a file shows broken: in how many cases, and the shortest sequence that shows it. */
function findingLines({ promise, claim, cases, shortest }: Finding, paint: Paint): string[] {
  const calls = shortest.operations.map(describeOperation).join("; ");
  return [
    `  ${paint("yellow", promise)}, in ${counted(cases, "case")}`,
    `    ${claim}`,
    `    shortest: ${calls}`,
    `    ${shortest.broken.message} (case ${shortest.case}, operation ${shortest.broken.step})`,
  ];
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

async function findingsIn(file: string, limits: TraceLimits): Promise<Findings> {
  const { config, cases } = await readTrace(file, limits);
  const findings = await findShortest(cases, config);
  if (findings.operations === 0) {
    throw fileError(file, "nothing was checked: it has no cases, or no steps in them");
  }
  return findings;
}

/** Hold each file against the contract, print what it breaks; the exit status. */
export async function traceContract(
  files: readonly string[],
  limits: TraceLimits,
): Promise<ExitStatus> {
  const paint = paintWith(wantsColour(process.stdout, process.env));
  let breaking = 0;
  let bad = 0;
  for (const file of files) {
    try {
      const findings = await findingsIn(file, limits);
      if (findings.list.length > 0) breaking += 1;
      process.stdout.write(contractText(file, findings, paint));
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      process.stderr.write(`ext4-conform: ${error.message}\n`);
      bad += 1;
    }
  }
  const of = counted(files.length, "file");
  const verdict =
    breaking > 0
      ? `${paint(["red", "bold"], "BREAKS")}: ${breaking} of ${of}`
      : bad > 0
        ? `${paint(["red", "bold"], "NOT CHECKED")}: ${bad} of ${of}, see above`
        : `${paint(["green", "bold"], "KEEPS")}: every promise in ${of}`;
  process.stdout.write(`\n${verdict}\n`);
  if (breaking > 0) return exitStatus.diverges;
  return bad > 0 ? exitStatus.usage : exitStatus.conforms;
}
