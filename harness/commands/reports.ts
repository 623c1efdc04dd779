/**
 * `--report`: what a command came to, in the forms that were asked for, each at its place.
 */
import { Option } from "commander";
import { Interrupted, ReaderGone, UsageError } from "../case/failure.ts";
import { exitStatus } from "../host/exit-status.ts";
import type { ExitStatus } from "../host/exit-status.ts";
import { reportForms } from "../report/forms.ts";
import type { ReportForm, ReportFormName } from "../report/forms.ts";
import { endedBy, outcomeOf } from "../report/outcome.ts";
import type { Command, Outcome } from "../report/outcome.ts";
import { Output, writeMore } from "../stored/output.ts";
import { endBySignal, whenSignalled } from "../system/undo.ts";
import { complain, sayOnStandardError } from "../text/say.ts";
import { noSuch } from "../text/no-such.ts";
import { printable } from "../text/terminal.ts";
import { earlyEndOf } from "./run-outcome.ts";

/** Hears what a command came to by now; what it hears last is reported when the command ends. */
export type Tell = (outcome: Outcome) => void;

/** A form, and the path of the file for it; "-" is standard output. */
interface Asked {
  form: ReportFormName;
  path: string;
}

const NAMES = Object.keys(reportForms) as ReportFormName[];

/** "junit", "junit:report.xml". @throws UsageError */
export function parseReport(text: string): Asked {
  const [name, path] = /^([^:]*)(?::([^]*))?$/.exec(text)!.slice(1);
  const form = NAMES.find((known) => known === name);
  if (form !== undefined) return { form, path: path ?? "-" };
  throw new UsageError(noSuch("form of a report", name!, NAMES));
}

export const reportOption = (): Option =>
  new Option(
    "--report <form[:file]>",
    `what it came to as ${NAMES.join(", ")}, to the file, else to standard output; may be given again`,
  )
    .default([], "none")
    .argParser((text, before: Asked[]) => [...before, parseReport(text)]);

/** The option, as a command has it. */
export interface ReportArguments {
  report: Asked[];
}

/** A report that has its place. */
interface Place {
  form: ReportForm;
  output: Output;
}

/** Where GitHub Actions takes Markdown about a step, if that runs this. */
const summaryPath = (): string | undefined => process.env["GITHUB_STEP_SUMMARY"] || undefined;

/**
 * Look at all places before anything runs. The text for the user leaves standard output to a
 * report.
 *
 * @param result where a result of `run` goes
 * @throws UsageError where one cannot be written, or two would be written to one place
 */
function placesFor(asked: readonly Asked[], result: string | undefined): Place[] {
  if (asked.length === 0) return [];
  const places = asked.map(({ form, path }) => ({
    form: reportForms[form] as ReportForm,
    output: Output.open(path),
  }));
  const others = result === undefined ? [] : [Output.open(result)];
  const outputs = [...places.map(({ output }) => output), ...others];
  const twin = outputs.find((one, i) => outputs.slice(0, i).some((other) => other.isSameAs(one)));
  if (twin !== undefined) {
    const where = twin.isStandardOutput ? "standard output" : printable(twin.path);
    throw new UsageError(`only one report can be written to ${where}; give each a file: form:FILE`);
  }
  if (places.some(({ output }) => output.isStandardOutput)) sayOnStandardError();
  const path = summaryPath();
  if (path !== undefined && places.some(({ form }) => form.summary)) writeMore(path, "");
  return places;
}

/** Writes one; its exit status: what keeps it from being written keeps no other from it. */
function statusOfWriting(write: () => void): ExitStatus {
  try {
    write();
    return exitStatus.conforms;
  } catch (error) {
    if (error instanceof ReaderGone) return exitStatus.readerGone;
    if (!(error instanceof UsageError)) throw error;
    complain(`ext4-conform: no report: ${error.message}\n`);
    return exitStatus.usage;
  }
}

/** Writes all of them; the exit status of the first that was not written whole. */
function writeAll(places: readonly Place[], outcome: Outcome): ExitStatus {
  const summaries = summaryPath();
  const writes = places.flatMap(({ form, output }) => {
    const { text, summary } = form;
    const more =
      summary === undefined || summaries === undefined
        ? []
        : [() => writeMore(summaries, summary(outcome))];
    return [() => output.write(text(outcome)), ...more];
  });
  const failed = writes.map(statusOfWriting).filter((status) => status !== exitStatus.conforms);
  return failed[0] ?? exitStatus.conforms;
}

/**
 * Carry out a command, and write what it came to in all forms that were asked for, also where
 * something ends it. `act` gets what is to hear that; undefined where nobody asked.
 *
 * @returns its exit status, but where all conforms that of what kept a report from being written
 * @throws UsageError where a place cannot be written, before anything runs; what `act` throws
 */
export async function reporting(
  { report, result }: ReportArguments & { result?: string | undefined },
  command: Command,
  act: (tell: Tell | undefined) => Promise<ExitStatus>,
): Promise<ExitStatus> {
  const places = placesFor(report, result);
  if (places.length === 0) return act(undefined);
  const nothing = outcomeOf({ command, started: performance.now(), subtests: [] });
  let outcome = nothing;
  const end = (error: unknown): void => {
    writeAll(places, endedBy(outcome, earlyEndOf(error)));
  };
  // Of a command that leaves signals alone; a run deals with them itself, and tells.
  whenSignalled((signal) => {
    end(new Interrupted(signal));
    endBySignal(signal);
  });
  try {
    const status = await act((told) => (outcome = told));
    const written = writeAll(places, outcome);
    return status === exitStatus.conforms ? written : status;
  } catch (error) {
    // Of a mistake in the command nothing came. What a result was not written of did.
    if (!(error instanceof UsageError)) end(error);
    else if (outcome !== nothing) writeAll(places, outcome);
    throw error;
  } finally {
    whenSignalled(undefined);
  }
}
