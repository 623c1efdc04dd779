/**
 * What a replay came to, for the reports.
 */
import { NO_SUBTEST, outcomeOf } from "../report/outcome.ts";
import type { Outcome, Subtest } from "../report/outcome.ts";
import { WorkerLost } from "../run/conversation.ts";
import type { Counterexample } from "../stored/counterexample.ts";
import type { FoundDivergence } from "../stored/result.ts";
import { mkfsOptions } from "../subjects/mkfs.ts";
import type { KernelUnderTest } from "../workers/link.ts";
import type { Replayed } from "./replay.ts";
import { earlyEndOf, findingOf, lostFinding } from "./run-outcome.ts";

/** What was replayed, and how. */
interface About {
  file: string;
  strict: boolean;
  counterexample: Counterexample;
  kernel: KernelUnderTest;
  /** Replays it again. */
  command: string;
  /** performance.now() at its beginning. */
  started: number;
}

/** What was found, and what is printed of it, without colour. */
export interface FindingReport {
  found: FoundDivergence;
  report: string;
}

/** What is known of the case before it is run. */
function before({ file, counterexample }: About) {
  const { variant, operations, before: earlier = [] } = counterexample;
  const all = earlier.reduce((sum, one) => sum + one.operations.length, operations.length);
  return {
    ...NO_SUBTEST,
    name: file,
    mkfsOptions: mkfsOptions(variant).join(" "),
    counts: { cases: 1 + earlier.length, operations: all },
  };
}

/** What a replay has found; undefined where that is nothing. */
export function foundIn(
  { divergence, named = [], breaks, passed }: Replayed,
  { variant }: Counterexample,
): FoundDivergence | undefined {
  return (
    divergence && {
      variant: variant.name,
      case: -1,
      divergence,
      confirmed: true,
      named,
      ...(breaks !== undefined && { breaks }),
      ...(passed !== undefined && { passed }),
      met: 1,
    }
  );
}

function replayedSubtest(
  about: About,
  { mounted, named = [] }: Replayed,
  finding: FindingReport | undefined,
): Subtest {
  const { file, command, started } = about;
  const findings = finding ? [findingOf({ ...finding, command, counterexample: file })] : [];
  return {
    ...before(about),
    status: findings.length === 0 ? "pass" : "fail",
    ...(mounted?.path !== undefined && { path: mounted.path }),
    ...(mounted !== undefined && { mountOptions: mounted.options }),
    ...(mounted?.promised !== undefined && { promised: mounted.promised }),
    seconds: (performance.now() - started) / 1000,
    deviations: Object.fromEntries(named.map((id) => [id, 1])),
    findings,
  };
}

function lostSubtest(about: About, lost: WorkerLost): Subtest {
  const finding = { ...lostFinding(lost, about.command), counterexample: about.file };
  return { ...before(about), status: "fail", findings: [finding] };
}

/** What it came to, with what it found, or that the kernel was lost. */
export function replayOutcome(
  about: About,
  came: Replayed | WorkerLost,
  finding?: FindingReport,
): Outcome {
  const { strict, started, counterexample, kernel } = about;
  const { kind, what } = kernel;
  const { seed } = counterexample;
  const lost = came instanceof WorkerLost;
  return outcomeOf({
    command: "replay",
    started,
    strict,
    ...(seed !== undefined && { seed }),
    ...(lost
      ? { endedEarly: earlyEndOf(came) }
      : { kernel: { release: came.traits.release, machine: came.traits.machine, kind, what } }),
    subtests: [lost ? lostSubtest(about, came) : replayedSubtest(about, came, finding)],
  });
}
