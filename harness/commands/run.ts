/**
 * `ext4-conform run`: the main job.
 */
import { mustBeReportable, reportCoverage } from "../coverage/report.ts";
import type { CoverageOptions } from "../coverage/report.ts";
import type { PatchLines } from "../coverage/patch-lines.ts";
import { exitStatus } from "../host/exit-status.ts";
import type { ExitStatus } from "../host/exit-status.ts";
import { colourWanted, complain, say } from "../text/say.ts";
import { mustBeWritable } from "../stored/output.ts";
import { EnvironmentError, Interrupted, UsageError } from "../case/failure.ts";
import { WorkerLost } from "../run/conversation.ts";
import { whyNothingRan } from "../run/nothing-ran.ts";
import { casesOf, perform } from "../run/perform.ts";
import type { Facts, Performed, PerformOptions } from "../run/perform.ts";
import { filesOf, Presenter, presentLost, printHead, runAgain } from "./present.ts";
import type { Presented } from "./present.ts";
import type { Tell } from "./reports.ts";
import { askSecondKernel, secondKernelOf } from "./second-kernel.ts";
import type { SecondKernelOptions } from "./second-kernel.ts";
import { runOutcome } from "./run-outcome.ts";
import { placeForResult, resultOf } from "./run-result.ts";
import type { Output } from "../stored/output.ts";
import { writeResult } from "../stored/result.ts";
import type { FoundDivergence } from "../stored/result.ts";
import { metIn } from "../run/by-variant.ts";
import { counted } from "../text/numbers.ts";
import { statisticsText } from "../report/statistics.ts";
import { mountedAs } from "../run/supervisor.ts";
import type { SupervisorResult } from "../run/supervisor.ts";
import { confirmedDivergences, ranAnything, unaccepted, verdict } from "../report/verdict.ts";

export interface RunOptions extends PerformOptions, SecondKernelOptions {
  /** Folder for counterexamples. */
  save: string;
  /**
   * The exit status where something was seen once, and not again on a fresh image, or where the
   * kernel did not live to be run.
   */
  doubtful?: ExitStatus;
  /** File for what the run came to, as JSON. */
  result?: string | undefined;
  /** Hears what it came to. */
  tell?: Tell | undefined;
  /** What is to be reported of the lines of the kernel that ran; undefined where nothing is. */
  coverage?: CoverageOptions | undefined;
}

/**
 * Says beside a verdict which lines of the kernel ran; those of the patch that was asked for. A
 * failure takes nothing from the verdict.
 */
async function presentCoverage(
  { kernels, guestsLost }: SupervisorResult,
  options: CoverageOptions,
): Promise<PatchLines | undefined> {
  try {
    const { text, patch } = await reportCoverage(kernels, options, colourWanted());
    say(`\n${text}`);
    if (guestsLost > 0) {
      const guests = counted(guestsLost, "guest");
      say(`note: ${guests} went down; what ran there is not counted\n`);
    }
    return patch;
  } catch (error) {
    if (!(error instanceof EnvironmentError || error instanceof UsageError)) throw error;
    complain(`ext4-conform: no coverage: ${error.message}\n`);
    return undefined;
  }
}

/** Throws UsageError where coverage cannot be had as asked. */
function prepareCoverage({ coverage, kernel }: RunOptions): void {
  if (coverage === undefined) return;
  if (kernel === "host") {
    throw new UsageError("--coverage needs --kernel: only in a guest are the counters this run's");
  }
  mustBeReportable(coverage);
}

/** Milliseconds between two versions of a result that is written as the run goes. */
const RESULT_MS = 2000;

/** Writes the result as the run goes, so that whatever ends it leaves what was known by then. */
function writingAsItGoes(output: Output): (performed: Performed) => void {
  let writtenAt = -Infinity;
  return (performed) => {
    const now = performance.now();
    if (performed.facts === undefined || now - writtenAt < RESULT_MS) return;
    writtenAt = now;
    try {
      writeResult(output, resultOf(performed, performed.facts, "still running"));
    } catch (error) {
      // There may be room again in the end; if not, it is said then.
      if (!(error instanceof UsageError)) throw error;
    }
  };
}

/** What ended it before its time, in words; undefined where nothing did. */
function whyEnded({ failure }: Performed): string | undefined {
  if (failure === undefined) return undefined;
  return failure instanceof Error ? failure.message : "an error that says nothing";
}

/** The table and the findings, for a person. */
function verdictOn(
  performed: Performed,
  { options }: Facts,
  presented: readonly Presented[],
  upSeconds: number,
): string {
  const cases = casesOf(options.work);
  const { seconds, shard } = options;
  const whyNothing = whyNothingRan({ cases, seconds, shard, upSeconds });
  const asked = { cases, endedEarly: whyEnded(performed), whyNothing };
  return verdict(performed.result, colourWanted(), { ...asked, files: filesOf(presented) });
}

/** Run, print the verdict; the exit status. Throws what the command line turns into a message. */
export async function run(options: RunOptions): Promise<ExitStatus> {
  prepareCoverage(options);
  const second = await secondKernelOf(options);
  const output = placeForResult(options.result);
  const counts = options.coverage !== undefined;
  const onResult = output?.isFile === true ? writingAsItGoes(output) : undefined;
  // Whoever hears what it came to hears what was met.
  const statistics = options.statistics === true || options.tell !== undefined;
  let presenter: Presenter | undefined;
  const onFound = (found: FoundDivergence, { result }: Performed): void => {
    presenter?.present(found, mountedAs(result, found.variant));
  };
  const asked = { ...options, statistics, counts, onResult, onFound };
  const started = performance.now();
  let upSeconds = 0;
  const performed = await perform(asked, (facts) => {
    upSeconds = (performance.now() - started) / 1000;
    mustBeWritable(options.save);
    printHead(facts);
    presenter = new Presenter(facts, options.save);
  });
  const { facts, result, failure } = performed;
  // What was wrong with the command: nothing has run.
  if (failure instanceof UsageError) throw failure;
  if (second !== undefined) await askSecondKernel(result.found, second);
  const isFound = confirmedDivergences(result).length > 0;
  const presented = presenter?.presented ?? [];
  if (facts !== undefined) say(verdictOn(performed, facts, presented, upSeconds));
  const again = (lost: WorkerLost): string => runAgain(lost, performed, options);
  const outcome = runOutcome("run", performed, presented, again);
  options.tell?.(outcome);
  if (facts !== undefined && output !== undefined) {
    writeResult(output, resultOf(performed, facts, whyEnded(performed)));
  }
  if (failure === undefined && facts !== undefined) {
    if (options.statistics === true) say(`\n${statisticsText(metIn(result.results))}`);
    if (options.coverage !== undefined) {
      const patch = await presentCoverage(result, options.coverage);
      if (patch !== undefined) options.tell?.({ ...outcome, patch });
    }
    if (!ranAnything(result)) return exitStatus.cannotRun;
    if (unaccepted(result).length === 0) return exitStatus.conforms;
    return isFound ? exitStatus.diverges : (options.doubtful ?? exitStatus.diverges);
  }
  if (failure instanceof WorkerLost) {
    presentLost(failure, again(failure));
    const ran = isFound || failure.where.variant !== "";
    return ran ? exitStatus.diverges : (options.doubtful ?? exitStatus.diverges);
  }
  // What stopped the run takes nothing from what was found before.
  if (failure instanceof Interrupted || !isFound || !(failure instanceof Error)) {
    throw failure;
  }
  complain(`ext4-conform: the run ended early: ${failure.message}\n`);
  return exitStatus.diverges;
}
