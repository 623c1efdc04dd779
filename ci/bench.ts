/**
 * `npm run bench`: what an operation costs, and how much of it is ours. Everything that is compared
 * runs side by side in one process, round after round, so that the ratios hold on a busy machine
 * too.
 *
 * `--brief` goes through all of it in seconds, to see that it works; its numbers say nothing.
 *
 * The image of the benchmark is 1 GiB, so that a file of 256 MiB fits; else it is the variant
 * 4k-delalloc.
 */
import { availableParallelism, release } from "node:os";
import * as fc from "fast-check";
import { EnvironmentError } from "../harness/case/failure.ts";
import { exitStatus } from "../harness/host/exit-status.ts";
import { DdSubject } from "../harness/subjects/dd-subject.ts";
import { probeKernel } from "../harness/subjects/probe.ts";
import type { KernelTraits } from "../harness/under-test/kernel-traits.ts";
import { caseSource } from "../harness/run/chunk.ts";
import { VariantRun } from "../harness/run/variant-run.ts";
import { variantNamed } from "../harness/under-test/variants.ts";
import { counted, grouped } from "../harness/text/numbers.ts";
import { operations as operationsArbitrary } from "../harness/generation/operations.ts";
import { BRIEF, median, nanoseconds, out, rounds, table, timed } from "./bench-measure.ts";
import { faultFree, mixed, scaling, writesAndFsync } from "./bench-sequences.ts";
import type { Sequence } from "./bench-sequences.ts";
import { Bench } from "./bench-subjects.ts";

const variant = variantNamed("4k-delalloc");
const IMAGE_BYTES = 2 ** 30;

/** Seconds for each of the two main sequences, and for each of those of the scaling groups. */
const MAIN_SECONDS = BRIEF ? 0 : 5;
const SCALING_SECONDS = BRIEF ? 0 : 1;
const DD_SECONDS = BRIEF ? 0 : 3;

const us = (ns: number): string => (ns / 1000).toFixed(ns < 100_000 ? 2 : 0);

function operationsOf({ cases }: Sequence): number {
  return cases.reduce((sum, { length }) => sum + length, 0);
}

/** Medians and minima, nanoseconds an operation. */
function measure(bench: Bench, asked: Sequence, seconds: number, only?: readonly string[]) {
  const sequence = bench.possible(asked);
  const tasks = bench.tasks(sequence).filter(({ name }) => only?.includes(name) ?? true);
  const count = operationsOf(sequence);
  const took = rounds(tasks, seconds);
  const per = (name: string, of: (ns: readonly number[]) => number): number =>
    of(took.get(name) ?? []) / count;
  return {
    operations: count,
    rounds: took.get("bare")?.length ?? 0,
    median: (name: string): number => per(name, median),
    least: (name: string): number => per(name, (ns) => Math.min(...ns)),
    /** Median over the rounds of how much longer than the bare calls of the same round. */
    ofBare: (name: string): string => {
      const bare = took.get("bare") ?? [];
      const ratios = took.get(name)?.map((ns, round) => ns / (bare[round] ?? ns)) ?? [];
      return `${median(ratios).toFixed(2)}x`;
    },
  };
}

const LABELS: Readonly<Record<string, string>> = {
  bare: "bare calls, with the probes",
  subject: "kernel subject: and reading the answers",
  model: "model alone",
  harness: "harness: kernel subject, model, comparison",
};

function main(bench: Bench): void {
  for (const sequence of [mixed(), writesAndFsync]) {
    const took = measure(bench, sequence, MAIN_SECONDS);
    out(
      `${sequence.name} (${grouped(took.operations)} operations, ${counted(took.rounds, "round")})`,
    );
    const rows = Object.entries(LABELS).map(([name, label]) => [
      `  ${label}`,
      us(took.median(name)),
      us(took.least(name)),
      grouped(1e9 / took.median(name)),
      grouped(1e9 / took.least(name)),
      took.ofBare(name),
    ]);
    out(
      table(["  us an operation", "median", "best", "ops/s", "ops/s best", "of bare"], rows) + "\n",
    );
  }
}

const GROWTH_HEAD = ["".padEnd(40), "bare", "harness", "bare, best", "harness, best", "of bare"];

function growth(bench: Bench): void {
  out("growth (us an operation)");
  for (const group of scaling) {
    const rows = (BRIEF ? group.slice(0, 1) : group).map((sequence) => {
      const took = measure(bench, sequence, SCALING_SECONDS, ["bare", "harness"]);
      const cells = [took.median, took.least].flatMap((of) => [us(of("bare")), us(of("harness"))]);
      return [`  ${sequence.name}`, ...cells, took.ofBare("harness")];
    });
    out(table(GROWTH_HEAD, rows));
  }
  out("");
}

/** Real processes on the part of the mixed sequence that programs can do. */
function processes(bench: Bench): void {
  const dd = new DdSubject(bench.image);
  const sequence = faultFree((operation) => dd.supports(operation));
  const others = bench.tasks(bench.possible(sequence)).filter(({ name }) => name === "harness");
  const run = (): number =>
    sequence.cases.reduce((sum, operations) => sum + bench.timeCase(dd, operations, 0), 0);
  const took = rounds([...others, { name: "dd", run }], DD_SECONDS);
  const count = operationsOf(sequence);
  const per = (name: string): number => median(took.get(name) ?? []) / count;
  out(`${sequence.name} (${count} operations): --executor dd ${us(per("dd"))} us an operation,`);
  out(`  the default executor ${us(per("harness"))} us: ${grouped(per("dd") / per("harness"))}x\n`);
}

/** Cases of a whole run, and at most so many seconds of it. */
const RUN_CHUNKS = BRIEF ? 2 : 42;
const RUN_MS = 8_000;
const CASES = 50;

/** A run as `ext4-conform run` does it: what of its time goes where. */
async function wholeRun(traits: KernelTraits): Promise<void> {
  const arbitrary = operationsArbitrary({ variant, maxLength: 200 });
  const sample = (): number => {
    const cases = fc.sample(arbitrary, { numRuns: 1000, seed: 1 });
    return cases.reduce((sum, { length }) => sum + length, 0);
  };
  let drawn = sample();
  const generation = timed(() => (drawn = sample())) / drawn;

  const run = await VariantRun.open(variant, { traits, strict: false, executor: "ffi" });
  const source = caseSource(variant, { seed: 1, maxLength: 200 });
  try {
    let checkpoints = 0;
    const start = nanoseconds();
    for (let chunk = 0; chunk < RUN_CHUNKS && nanoseconds() - start < RUN_MS * 1e6; chunk++) {
      const found = run.runChunk(source, { chunk, end: CASES });
      if (found !== undefined) throw new Error(`diverges: ${found.first.message}`);
      // A run ends with one too.
      if (!run.session.checkpointDue && chunk < RUN_CHUNKS - 1) continue;
      const before = nanoseconds();
      const findings = await run.checkpoint(false);
      checkpoints += nanoseconds() - before;
      if (findings.length > 0) throw new Error(`on disk: ${findings[0]?.finding.message}`);
    }
    const took = nanoseconds() - start;
    const { cases, operations, files, checkpoints: count } = run.counts;
    const share = (ns: number): string => `${((100 * ns) / took).toFixed(1)} %`;
    out(`a run of generated cases (${grouped(cases)} cases, ${grouped(operations)} operations)`);
    out(
      `  all of it     ${us(took / operations)} us an operation, ${grouped((1e9 * operations) / took)} ops/s`,
    );
    out(`  generation    ${us(generation)} us an operation (${share(generation * operations)})`);
    const each = `${us(checkpoints / files)} us a file, ${(checkpoints / count / 1e6).toFixed(0)} ms each`;
    out(`  checkpoints   ${count} with ${files} files: ${each} (${share(checkpoints)})\n`);
  } finally {
    run.close();
  }
}

async function bench(): Promise<void> {
  const traits = await probeKernel();
  out(`kernel ${release()}, ${availableParallelism()} cores, Node ${process.versions.node}\n`);
  const image = { ...variant, imageSize: IMAGE_BYTES };
  const subjects = await Bench.open(image, traits);
  try {
    main(subjects);
    growth(subjects);
    processes(subjects);
  } finally {
    subjects.close();
  }
  await wholeRun(traits);
  const { maxRSS } = process.resourceUsage();
  out(`peak memory ${grouped(maxRSS / 1024)} MiB`);
}

try {
  await bench();
} catch (error) {
  if (!(error instanceof EnvironmentError)) throw error;
  process.stderr.write(`SKIP: ${error.message}. ${error.remedy}\n`);
  process.exitCode = exitStatus.cannotRun;
}
