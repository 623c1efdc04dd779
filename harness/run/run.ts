/**
 * `ext4-conform run`: the main job.
 */
import { mustBeReportable, reportCoverage } from "../coverage/report.ts";
import type { CoverageOptions } from "../coverage/report.ts";
import { exitStatus } from "../exit-status.ts";
import type { ExitStatus } from "../exit-status.ts";
import { colourWanted, complain, say } from "../report/say.ts";
import { mustBeWritable } from "../stored/output.ts";
import { EnvironmentError, UsageError } from "../failure.ts";
import { WorkerLost } from "./conversation.ts";
import { perform } from "./perform.ts";
import type { PerformOptions } from "./perform.ts";
import { present, presentLost, printHead, runAgain } from "./present.ts";
import { resultOf } from "./result.ts";
import { writeResult } from "../stored/result.ts";
import { addUp } from "../lockstep/statistics.ts";
import type { Statistics } from "../lockstep/statistics.ts";
import { counted } from "../report/progress.ts";
import { statisticsText } from "../report/statistics.ts";
import type { SupervisorResult } from "./supervisor.ts";
import { firstDivergences, verdict } from "../report/verdict.ts";

export interface RunOptions extends PerformOptions {
  /** Folder for counterexamples. */
  save: string;
  /** The exit status where something was seen once, and not again on a fresh image, or where the kernel did not live to be run. */
  doubtful?: ExitStatus;
  /** File for what the run came to, as JSON. */
  result: string | undefined;
  /** What is to be reported of the lines of the kernel that ran; undefined where nothing is. */
  coverage?: CoverageOptions | undefined;
}

/** What the operations of all variants met. */
function metIn({ results }: SupervisorResult): Statistics {
  return results.reduce((sum, { statistics = {} }) => addUp(sum, statistics), {} as Statistics);
}

/** What is said beside a verdict of the lines of the kernel that ran. A failure takes nothing from the verdict. */
async function presentCoverage(
  { kernels, guestsLost }: SupervisorResult,
  options: CoverageOptions,
): Promise<void> {
  try {
    const colour = colourWanted();
    say(`\n${await reportCoverage(kernels, options, colour)}`);
    if (guestsLost > 0) {
      const guests = counted(guestsLost, "guest");
      say(`note: ${guests} went down; what ran there is not counted\n`);
    }
  } catch (error) {
    if (!(error instanceof EnvironmentError || error instanceof UsageError)) throw error;
    complain(`ext4-conform: no coverage: ${error.message}\n`);
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

/** Run, print the verdict; the exit status. Throws what the command line turns into a message. */
export async function run(options: RunOptions): Promise<ExitStatus> {
  prepareCoverage(options);
  const counts = options.coverage !== undefined;
  const performed = await perform({ ...options, counts }, (facts) => {
    mustBeWritable(options.save);
    printHead(facts);
  });
  const { facts, result, failure, kernel, seed } = performed;
  const first = firstDivergences(result);
  const doubtful = result.found.filter(({ confirmed }) => !confirmed);
  if (facts !== undefined) {
    const { traits, options: asked } = facts;
    const told = { kernel, release: traits.release, seed, strict: asked.strict };
    for (const found of [...first, ...doubtful]) present(found, told, result, options.save);
  }
  if (failure === undefined && facts !== undefined) {
    say(verdict(result, colourWanted()));
    if (options.result !== undefined) writeResult(options.result, resultOf(performed, facts));
    if (options.statistics === true) say(`\n${statisticsText(metIn(result))}`);
    if (options.coverage !== undefined) await presentCoverage(result, options.coverage);
    if (result.found.length === 0) return exitStatus.conforms;
    return first.length > 0 ? exitStatus.diverges : (options.doubtful ?? exitStatus.diverges);
  }
  if (failure instanceof WorkerLost) {
    presentLost(failure, runAgain(failure, performed, options.strict));
    const ran = first.length > 0 || failure.where.variant !== "";
    return ran ? exitStatus.diverges : (options.doubtful ?? exitStatus.diverges);
  }
  // What stopped the run takes nothing from what was found before.
  if (first.length === 0 || !(failure instanceof Error)) throw failure;
  complain(`ext4-conform: the run ended early: ${failure.message}\n`);
  return exitStatus.diverges;
}
