/**
 * Running a case with an ear on the kernel's log: what it complains of belongs to the operation
 * after which it did.
 */
import { basename } from "node:path";
import { EnvironmentError } from "../case/failure.ts";
import type { MountedImage } from "../subjects/image.ts";
import { triesAgain } from "../system/fail-nth.ts";
import { isRefusal } from "../subjects/thin.ts";
import { runCase, runPromised } from "../lockstep/lockstep.ts";
import type { CaseResult, LockstepOptions } from "../lockstep/lockstep.ts";
import type { ModelSubject } from "../lockstep/model-subject.ts";
import { failNthOf, isStarved } from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";
import { LookFailed } from "../lockstep/subject.ts";
import type { Subject } from "../lockstep/subject.ts";

/** Whether it only says what the machine was told to do to the operation. */
function mustBeSaid(operation: Operation, text: string): boolean {
  if (isStarved(operation)) return isRefusal(text);
  return failNthOf(operation) !== undefined && triesAgain(text);
}

/** Of a log that cannot be read. */
const SILENT: { alarms: string[]; said: string[] } = { alarms: [], said: [] };

/** Nothing makes a device refuse what is within it but what it lies on. */
function refusedByMachine(alarm: string): EnvironmentError {
  return new EnvironmentError(
    "no-space",
    `what the image lies on did not take its data: ${alarm}`,
    "Free some memory, or space in TMPDIR, and run again.",
  );
}

/**
 * As `runCase`, or `runPromised` where there is no model. That the kernel complained is a
 * divergence of its own where nothing else differs up to there, and so is that it would not say
 * what a file has, its file system being damaged; else what it said goes with the divergence, as
 * evidence. Throws EnvironmentError where it says that the image's device failed, unless that is
 * thin.
 */
export function runListening(
  image: MountedImage,
  model: ModelSubject | undefined,
  subject: Subject,
  operations: readonly Operation[],
  options: LockstepOptions,
): CaseResult {
  const { kernelLog, loopDevice, variant } = image;
  const device = basename(loopDevice);
  let heard: { step: number; alarm: string; said: string[] } | undefined;
  let steps = 0;
  const onObservation: LockstepOptions["onObservation"] = (seen, step) => {
    steps = step + 1;
    const { alarms, said } = kernelLog?.alarmsInContext(device) ?? SILENT;
    const operation = operations[step]!;
    const alarm = alarms.find((text) => !mustBeSaid(operation, text));
    if (alarm !== undefined) heard ??= { step, alarm, said };
    options.onObservation?.(seen, step);
  };
  const how = { ...options, onObservation };
  let result: CaseResult;
  try {
    result =
      model === undefined
        ? runPromised(subject, operations, how)
        : runCase(model, subject, operations, how);
  } catch (error) {
    if (!(error instanceof LookFailed)) throw error;
    const evidence = kernelLog?.alarmsInContext(device).said ?? [];
    const failed = { step: steps, kind: "kernel-log" as const, message: error.message, evidence };
    const found = { variant: variant.name, operations: [...operations], ...failed };
    return { steps: steps + 1, divergence: found, guesses: 0, transient: 0 };
  }
  if (heard === undefined) return result;
  if (image.pool === undefined && isRefusal(heard.alarm)) throw refusedByMachine(heard.alarm);
  const { divergence } = result;
  const evidence = heard.said;
  if (divergence !== undefined && divergence.step <= heard.step) {
    return { ...result, divergence: { ...divergence, evidence } };
  }
  const said = { step: heard.step, kind: "kernel-log" as const, message: heard.alarm, evidence };
  const found = { variant: variant.name, operations: [...operations], ...said };
  return { ...result, divergence: found };
}
