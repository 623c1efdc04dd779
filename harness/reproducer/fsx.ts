/**
 * A stored case as a file of operations of fsx (ltp/fsx.c of xfstests), which `fsx --replay-ops`
 * plays and many a test of xfstests takes.
 *
 * fsx writes bytes of its own, and looks at the bytes it reads and at the size of the file: what a
 * case is about must show there. It ends at the first call that fails.
 */
import type { Deviation } from "../../model/deviations/deviation.ts";
import { isRemounted } from "../case/variant.ts";
import { cannotInFsx, inFsx } from "../operations/in-fsx.ts";
import { clampOperation, describeOperation, effectsOf, isWrite } from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";
import type { FileInFsx, LineInFsx } from "../aspects/in-fsx.ts";
import type { Counterexample } from "../stored/counterexample.ts";
import { makeCommands, plainMountCommand } from "./file-system.ts";
import { headerOf, wrapped } from "./header.ts";
import { mustBeExpressible, refusing } from "./refusals.ts";
import { operationsShown, symptomOf } from "./symptom.ts";
import type { Symptom } from "./symptom.ts";

const refuse = refusing("operations of fsx");

/** Bytes of the largest file where nothing else is said (-l); its buffers hold what -o says. */
const USUAL_LENGTH = 256 * 1024;

/** Bytes of the largest file of ours: fsx keeps it in memory three times, and counts in 32 bits. */
const MAX_LENGTH = 2 ** 30;

const hex = (number: number): string => `0x${number.toString(16)}`;

const lineText = ({ name, numbers, flags = [] }: LineInFsx, i_size: number): string =>
  [name, ...[...numbers, i_size].map(hex), ...flags].join(" ");

/** Throws UsageError where fsx cannot see what the case is about. */
function mustShow({ place, file = {}, read, result, atUnmount }: Symptom, last: Operation): void {
  if (atUnmount !== undefined || place !== "mounted") {
    refuse(describeOperation(last), "fsx looks at the file as it is mounted");
  }
  const { i_size, bytes } = file;
  if ([i_size, bytes, read, result].every((look) => look === undefined)) {
    refuse(
      describeOperation(last),
      `fsx sees data and sizes, and not what this is about: ${Object.keys(file).join(", ")}`,
    );
  }
}

/** Throws UsageError where fsx would end there. */
function mustSucceed(operation: Operation, result: number): void {
  const asked = isWrite(operation) && "len" in operation ? operation.len : 0;
  if (result < asked) refuse(describeOperation(operation), "fsx ends at a call that fails");
}

/** The lines of an operation on a file as it is then. */
function linesOf(operation: Operation, index: number, file: FileInFsx): string[] {
  const title = wrapped(`${index}: ${describeOperation(operation)}`).map((line) => `# ${line}`);
  const clamped = clampOperation(operation, file.i_size);
  const line = clamped && inFsx(clamped).line(clamped, file);
  return [...title, ...(line === undefined ? ["# Nothing there."] : [lineText(line, file.i_size)])];
}

/**
 * The file of operations.
 *
 * @param running release of the running kernel, for a case that names none
 * @param seeded as symptomOf() takes them
 * @throws UsageError where fsx cannot do it, or see it, with one line that says what
 */
export function asFsx(
  counterexample: Counterexample,
  running: string,
  seeded: readonly Deviation[] = [],
): string {
  const { variant } = counterexample;
  const operations = operationsShown(counterexample);
  const last = operations.at(-1)!;
  const all: FileInFsx = { i_size: MAX_LENGTH, syncsNext: true };
  mustBeExpressible(counterexample, operations, (one) => cannotInFsx(one, all), refuse);
  if (isRemounted(variant)) {
    refuse(`a case on ${variant.name}`, "its file is older than an option of the mount");
  }
  const symptom = symptomOf(counterexample, running, seeded);
  mustShow(symptom, last);
  if (symptom.takesLooks) refuse(describeOperation(last), "fsx does not look at blocks in between");
  const size = symptom.file?.i_size ?? symptom.sizes.at(-1)!;
  const lines = operations.flatMap((operation, i) => {
    const next = operations[i + 1];
    const syncsNext = next !== undefined && effectsOf(next).syncsAll === true;
    const file = { i_size: symptom.sizes[i]!, syncsNext };
    const why = cannotInFsx(operation, file);
    if (why !== undefined) refuse(describeOperation(operation), why);
    mustSucceed(operation, symptom.results[i]!);
    return linesOf(operation, i, file);
  });
  const looks = symptom.file?.bytes !== undefined && size > 0;
  const ends = operations.map((one, i) => endOf(one, symptom.sizes[i]!));
  const length = Math.max(USUAL_LENGTH, ...ends);
  if (length > MAX_LENGTH) refuse(describeOperation(last), "fsx keeps the whole file in memory");
  const header = headerOf(counterexample, symptom, [
    ...makeCommands(variant, false),
    plainMountCommand(variant),
    `fsx -l ${length} -o ${length} --replay-ops case.fsxops mnt/file`,
    "It checks the data that it reads and the size of the file, and nothing else.",
    ...(lines.some((line) => line.startsWith("fsync "))
      ? ["For fsync it takes -i DEVICE -P FOLDER, a log of writes (dm-log-writes)."]
      : []),
  ]);
  return [
    ...header.map((line) => `# ${line}`.trimEnd()),
    ...lines,
    ...(looks
      ? ["# What must be there now.", lineText({ name: "read", numbers: [0, size] }, size)]
      : []),
    "",
  ].join("\n");
}

/** Bytes of the file after it, at most, and of all that it names. */
function endOf(operation: Operation, i_size: number): number {
  if ("size" in operation) return operation.size;
  if (!("len" in operation)) return 0;
  const pos = "to_pos" in operation ? operation.to_pos : operation.pos;
  return Math.max(i_size, pos) + operation.len;
}
