/**
 * Enumerating: all fault points of a case.
 */
import { faultPoints } from "../generation/fault-points.ts";
import type { Operation } from "../operations/operation.ts";
import { CASES_PER_CHUNK } from "./chunk.ts";
import { breathe } from "../system/sleep.ts";
import type { VariantJob } from "./variant-job.ts";

async function anyFails(job: VariantJob, cases: readonly Operation[][]): Promise<boolean> {
  const { run, assignment, teller } = job;
  const { job: first, jobs } = assignment;
  for (let number = first; number < cases.length; number += jobs) {
    const operations = cases[number]!;
    const divergence = run.runListed(operations, number);
    if (divergence !== undefined) {
      teller.tell({ type: "diverged" });
      await job.reportShrunk(number, operations, divergence);
      return true;
    }
    const chunk = Math.floor(number / CASES_PER_CHUNK);
    if (run.session.checkpointDue && (await job.fails(chunk))) return true;
    if (number % CASES_PER_CHUNK < jobs) await breathe();
  }
  return job.fails(0, true);
}

/** Run this job's share of the fault points of a case; whether there was a divergence. */
export async function enumerate(job: VariantJob, of: readonly Operation[]): Promise<boolean> {
  const started = performance.now();
  const found = await anyFails(job, faultPoints(of, job.run.session.variant.blockSize));
  job.teller.finished(job.run, started);
  return found;
}
