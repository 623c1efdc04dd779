/**
 * Enumerating: all fault points of a case.
 */
import { faultPoints } from "../generation/fault-points.ts";
import type { Operation } from "../operations/operation.ts";
import { CASES_PER_CHUNK } from "./chunk.ts";
import { breathe } from "../system/sleep.ts";
import type { VariantJob } from "./variant-job.ts";

async function runAll(job: VariantJob, cases: readonly Operation[][]): Promise<void> {
  const { run, assignment } = job;
  const { job: first, jobs } = assignment;
  for (let number = first; number < cases.length && !job.hasEnough; number += jobs) {
    const operations = cases[number]!;
    const divergence = run.runListed(operations, number);
    if (divergence !== undefined) {
      await job.handleAndRenew(await job.shrinkHere(number, operations, divergence));
      continue;
    }
    if (run.session.checkpointDue) await job.look(Math.floor(number / CASES_PER_CHUNK));
    if (number % CASES_PER_CHUNK < jobs) await breathe();
  }
  if (!job.hasEnough) await job.checkpoint(0, true);
}

/** Run this job's share of the fault points of a case. */
export async function enumerate(job: VariantJob, of: readonly Operation[]): Promise<void> {
  const started = performance.now();
  await runAll(job, faultPoints(of, job.run.session.variant.blockSize));
  job.finished(started);
}
