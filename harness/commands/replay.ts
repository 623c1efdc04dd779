/**
 * `ext4-conform replay FILE`: one stored case again, on a fresh image of its variant.
 */
import { stripVTControlCharacters } from "node:util";
import { readCounterexample } from "../stored/counterexample.ts";
import type { Counterexample } from "../stored/counterexample.ts";
import { EnvironmentError } from "../case/failure.ts";
import { exitStatus } from "../host/exit-status.ts";
import type { ExitStatus } from "../host/exit-status.ts";
import { kernelUnderTest } from "../guest/under-test.ts";
import { hidden, notCompared } from "../under-test/kernel-traits.ts";
import type { KernelTraits } from "../under-test/kernel-traits.ts";
import { describeHandover } from "../lockstep/handover.ts";
import { fileWord, ownCommand } from "../host/own-command.ts";
import { secondText } from "../report/ranked.ts";
import { report, stepsText } from "../report/report.ts";
import { colourWanted, say } from "../text/say.ts";
import { printable } from "../text/terminal.ts";
import { WorkerLost } from "../run/conversation.ts";
import { HANG_SECONDS, kernelWords } from "../workers/link.ts";
import type { KernelUnderTest } from "../workers/link.ts";
import { Attempts } from "../run/crash-triage.ts";
import type { Attempted } from "../workers/messages.ts";
import { presentLost } from "./present.ts";
import { foundIn, replayOutcome } from "./replay-outcome.ts";
import { askSecondKernel, secondKernelOf } from "./second-kernel.ts";
import type { SecondKernelOptions } from "./second-kernel.ts";
import type { Tell } from "./reports.ts";

export interface ReplayOptions extends SecondKernelOptions {
  file: string;
  /** Known deviations count as divergences. */
  strict: boolean;
  /** The file is shown after every operation. */
  steps?: boolean;
  /** The exit status where the kernel did not live to run the case. */
  doubtful?: ExitStatus;
  /** Hears what it came to. */
  tell?: Tell | undefined;
}

export interface Replayed extends Attempted {
  traits: KernelTraits;
}

async function attempt(
  { variant, operations, before }: Counterexample,
  kernel: KernelUnderTest,
  strict: boolean,
): Promise<Replayed> {
  const attempts = new Attempts(kernel, HANG_SECONDS[kernel.guest ? "guest" : "host"]);
  try {
    const { traits } = await attempts.probe();
    const how = { strict, executor: "ffi", traits, name: true } as const;
    return { ...(await attempts.run({ variant, operations, before, ...how })), traits };
  } finally {
    await attempts.finish();
  }
}

/** The file after every operation, of what diverged there where something did. */
function timelineText(
  { divergence, timeline = [] }: Attempted,
  { operations, variant }: Counterexample,
): string {
  const [steps, done] = divergence?.timeline
    ? [divergence.timeline, divergence.operations]
    : [timeline, operations];
  return stepsText(steps, done, variant.blockSize, colourWanted());
}

/**
 * Throws EnvironmentError where nothing diverged, and what the case is about was not looked at: that
 * says nothing.
 */
function mustBeSeen(
  { divergence }: Counterexample,
  file: string,
  traits: Replayed["traits"],
): void {
  const lacks = divergence && hidden(divergence.kind, traits);
  if (lacks === undefined) return;
  throw new EnvironmentError(
    "machine-lacks",
    `${printable(file)} is about what cannot be seen here: ${lacks}`,
    "Replay it where it can (ext4-conform doctor says what can be seen).",
  );
}

/** Replay, print the report; the exit status. Throws UsageError where the file cannot be read. */
export async function replay(options: ReplayOptions): Promise<ExitStatus> {
  const { file, strict } = options;
  const counterexample = readCounterexample(file);
  const { variant, operations, before = [], seed } = counterexample;
  const kernel = await kernelUnderTest(options.kernel, options);
  const second = await secondKernelOf(options);
  const strictly = strict ? ["--strict"] : [];
  const command = ownCommand(["replay", ...kernelWords(kernel), ...strictly, fileWord(file)]);
  const about = { file, strict, counterexample, kernel, command, started: performance.now() };
  let replayed: Replayed;
  try {
    replayed = await attempt(counterexample, kernel, strict);
  } catch (error) {
    if (!(error instanceof WorkerLost)) throw error;
    options.tell?.(replayOutcome(about, error));
    presentLost(error, command);
    return options.doubtful ?? exitStatus.diverges;
  }
  const { traits, mounted, handedOver } = replayed;
  const { named = [], notDone = [], clamped = [] } = replayed;
  const promised = mounted?.promised;
  if (promised !== undefined) say(`the contract alone judges: ${promised}\n`);
  if (handedOver !== undefined) say(`${describeHandover(handedOver)}\n`);
  for (const operation of notDone) {
    say(`not done as it is, this kernel cannot: ${operation}\n`);
  }
  for (const clamping of clamped) say(`${clamping}\n`);
  if (options.steps === true) say(`${timelineText(replayed, counterexample)}\n`);
  const known = { release: traits.release, path: mounted?.path ?? "not known" };
  const { options: mountOptions } = mounted ?? {};
  const { breaks, passed } = replayed;
  const program = ownCommand([]);
  const said = { command, program, named, breaks, passed };
  const context = { variant, kernel: known, mountOptions, seed, ...said };
  const found = foundIn(replayed, counterexample);
  if (found === undefined) options.tell?.(replayOutcome(about, replayed));
  else {
    const text = report(found.divergence, { ...context, colour: colourWanted() });
    say(text);
    if (named.length > 0) say(`  known as ${named.join(" and ")}\n`);
    if (second !== undefined) await askSecondKernel([found], second);
    if (found.second !== undefined) say(`  ${printable(secondText(found.second))}\n`);
    const plain = stripVTControlCharacters(text);
    options.tell?.(replayOutcome(about, replayed, { found, report: plain }));
    say(`\nDIVERGES: ${printable(`${file} (${variant.name})`)}\n`);
    return exitStatus.diverges;
  }
  mustBeSeen(counterexample, file, traits);
  const all = operations.length + before.reduce((sum, one) => sum + one.operations.length, 0);
  const performed =
    notDone.length === 0
      ? all === 1
        ? "the one operation"
        : `all ${all} operations`
      : `the ${all - notDone.length} of ${all} operations that could be done`;
  const followed = promised === undefined && handedOver === undefined;
  const did = followed
    ? `model and kernel ${traits.release} agree on`
    : `kernel ${traits.release} keeps its promises in`;
  const less = [
    ...(clamped.length === 0 ? [] : [`; ${clamped.length} of them clamped, see above`]),
    ...notCompared(traits).map((line) => `; ${line}`),
  ].join("");
  const of = printable(`${file} (${variant.name})`);
  say(`CONFORMS: ${did} ${performed} of ${of}${less}\n`);
  if (!strict && named.length > 0) {
    say(`known deviation: ${named.join(", ")}\n`);
  }
  return exitStatus.conforms;
}
