/**
 * A stored case as the text of a mail: what, where, how, and what must be seen instead.
 */
import type { Deviation } from "../../model/deviations/deviation.ts";
import { UsageError } from "../case/failure.ts";
import { describePages } from "../case/observation.ts";
import { describeOperation } from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";
import type { Counterexample } from "../stored/counterexample.ts";
import { describeResult } from "../text/errno.ts";
import { printable } from "../text/terminal.ts";
import { asC } from "./c.ts";
import { mkfsCommand, plainMountCommand } from "./file-system.ts";
import { claimOf, wrapped } from "./header.ts";
import { mapText, operationsShown, symptomOf } from "./symptom.ts";
import type { FileLook, Symptom } from "./symptom.ts";

/** Characters of a line of a mail, but of those that are to be copied. */
const COLUMNS = 72;

/** Lines of code, neither empty nor comments, of a program that is read where it is. */
const SHORT_PROGRAM = 60;

/** How many those are in a program. */
export const linesOfCode = (program: string): number =>
  program.split("\n").filter((line) => !/^(?: \*|\s*\/\*.*\*\/$|\/\*|\s*$)/.test(line)).length;

/** Lines behind a mark, those that go on below its text. */
function item(mark: string, text: string): string[] {
  const lines = wrapped(text, COLUMNS - mark.length);
  return lines.map((line, i) => `${i === 0 ? mark : " ".repeat(mark.length)}${line}`);
}

function fileLines({ i_size, st_blocks, map, pages, reserved, bytes, cache }: FileLook): string[] {
  return [
    ...(i_size === undefined ? [] : [`i_size ${i_size}`]),
    ...(st_blocks === undefined ? [] : [`st_blocks ${st_blocks.units}`]),
    ...(map === undefined ? [] : [`blocks: ${mapText(map)}`]),
    ...(cache === undefined ? [] : [`extent status cache: true of ${mapText(cache)}`]),
    ...(pages === undefined ? [] : [`pages: ${describePages(pages)}`]),
    ...(reserved === undefined ? [] : [`reserved for delayed allocation: ${reserved}`]),
    ...(bytes === undefined ? [] : ["the bytes that were written last, zeros elsewhere"]),
  ];
}

/** What must be seen, a line each. */
function expectedLines({ result, read, place, file, atUnmount }: Symptom): string[] {
  const where = place === "mounted" ? "" : `, ${place}`;
  return [
    ...(result === undefined ? [] : [`result ${describeResult(result)}`]),
    ...(read === undefined ? [] : ["a read of what was written last, zeros elsewhere"]),
    ...(file === undefined ? ["no such file"] : fileLines(file)).map((line) => `${line}${where}`),
    ...(atUnmount === undefined ? [] : [`nothing to complain of at unmount (${atUnmount})`]),
  ];
}

/** The program where it is short, else how it is had. */
function programLines(
  counterexample: Counterexample,
  running: string,
  seeded: readonly Deviation[],
): string[] {
  try {
    const text = asC(counterexample, running, seeded, true).trimEnd();
    if (linesOfCode(text) < SHORT_PROGRAM) return text.split("\n");
    return ["A C program that shows it is attached (export --as c)."];
  } catch (error) {
    if (error instanceof UsageError)
      return wrapped(`There is no program: ${error.message}.`, COLUMNS);
    throw error;
  }
}

/** Characters of a subject: a long claim says more than a short symptom, also where it is folded. */
const SUBJECT = 150;

/** One sentence: what is claimed, or what was seen where that is too long. */
function subjectOf(claim: string, seen = claim): string {
  const words = printable(claim.length <= SUBJECT ? claim : seen).replaceAll(/\s+/g, " ");
  const short = words.length <= SUBJECT ? words : `${words.slice(0, SUBJECT - 3)}...`;
  return short.replace(/\.$/, "");
}

/** What a step says that is not of the call itself. */
const READABLE =
  "readable=N: only the first N bytes of the buffer are mapped, so that the copy from user space ends there.";

const endsShort = (operation: Operation): boolean =>
  "readable" in operation && operation.readable < operation.len;

/** A list is told of what went wrong, not of what must be. */
const NOTHING_SEEN =
  "the case has no divergence, so that there is nothing to tell a list: export it as c or sh, or say in it what was seen";

/**
 * The mail, its subject first.
 *
 * @param running release of the running kernel, for a case that names none
 * @param seeded as symptomOf() takes them
 * @throws UsageError where the case says of nothing that was seen, or the model cannot say what must
 *   be, with one line
 */
export function asMail(
  counterexample: Counterexample,
  running: string,
  seeded: readonly Deviation[] = [],
): string {
  const { divergence, variant, kernel } = counterexample;
  if (divergence === undefined) throw new UsageError(NOTHING_SEEN);
  const symptom = symptomOf(counterexample, running, seeded);
  const what = printable(claimOf(counterexample) ?? divergence.message).replaceAll(/\s+/g, " ");
  const operations = operationsShown(counterexample);
  const steps = operations.map(describeOperation);
  const on = kernel === undefined ? `like ${symptom.kernel ?? running}` : kernel.release;
  return [
    `Subject: ext4: ${subjectOf(what, divergence.message)}`,
    "",
    ...wrapped(what, COLUMNS),
    "",
    ...item("Kernel: ", printable(kernel === undefined ? on : `${on}, ${kernel.path} path`)),
    "",
    ...item("File system: ", `${printable(variant.purpose)} (${variant.name})`),
    `  truncate -s ${variant.imageSize} image`,
    `  ${mkfsCommand(variant)}`,
    `  ${plainMountCommand(variant)}`,
    "",
    "On an empty file:",
    ...steps.flatMap((step, i) => item(`  ${i}. `, step)),
    ...(operations.some(endsShort) ? ["", ...wrapped(READABLE, COLUMNS)] : []),
    "",
    `After ${steps.length - 1}, expected:`,
    ...expectedLines(symptom).flatMap((line) => item("  - ", line)),
    "",
    "Seen:",
    ...item("  - ", printable(divergence.message)),
    "",
    ...programLines(counterexample, running, seeded),
    "",
  ].join("\n");
}
