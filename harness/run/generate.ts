/**
 * Generating: the stored cases, then those that follow from a seed, chunk after chunk.
 */
import { corpusDirectory } from "../host/package.ts";
import { readCorpus } from "../stored/corpus.ts";
import type { Generate } from "../workers/messages.ts";
import { CASES_PER_CHUNK, caseSource } from "./chunk.ts";
import type { CaseSource } from "./chunk.ts";
import { breathe } from "../system/sleep.ts";
import { SHRINK_MS } from "./variant-run.ts";
import type { VariantJob } from "./variant-job.ts";

/**
 * Cases for each variant where programs perform them and nobody says how many: some ten seconds.
 */
const DD_CASES = 20;

/**
 * Run the stored cases. Where the kernel differs from the model in one, and keeps what is promised,
 * the contract judges that kernel from there on: a difference that is known by now hides nothing
 * behind it. They hold known deviations, so a strict run leaves them out. Of several jobs the first
 * one reports them.
 */
async function runCorpus(job: VariantJob): Promise<void> {
  const { run, assignment } = job;
  for (const { name, operations } of readCorpus(corpusDirectory)) {
    if (job.isTimeUp || job.hasEnough) break;
    const divergence = run.replay(operations);
    if (divergence === undefined) continue;
    if (assignment.job === 0) await job.handle(job.asShrunk(-1, divergence));
    if (job.hasEnough) break;
    await run.renew();
    if (run.session.model === undefined) continue;
    job.judgeByContract(`the model does not follow this kernel, see the stored case ${name}`);
    const broken = run.replay(operations);
    if (broken === undefined) continue;
    if (assignment.job === 0) await job.handleAndRenew(job.asShrunk(-1, broken));
    else await run.renew();
  }
}

/** Run the cases of a chunk, and look at the disk where that is due. */
async function runChunk(
  job: VariantJob,
  source: CaseSource,
  chunk: number,
  cases: number,
  onFinding: () => Promise<void>,
): Promise<void> {
  const { until, isNew } = job;
  const part = { chunk, end: cases, until, isNew };
  for (let from = 0; from < cases && !job.hasEnough && (from === 0 || !job.isTimeUp);) {
    const finding = job.run.runChunk(source, { ...part, from, shrinkMs: job.limit(SHRINK_MS) });
    if (finding === undefined) break;
    await job.handleAndRenew(finding);
    await onFinding();
    from = (finding.case % CASES_PER_CHUNK) + 1;
  }
  if (!job.hasEnough && job.run.session.checkpointDue) await job.look(chunk);
}

/** Run this job's chunks until a limit, or until enough is found. */
export async function generate(job: VariantJob, work: Generate): Promise<void> {
  const { executor, strict, job: first, jobs } = job.assignment;
  const cases = work.cases ?? (executor === "dd" ? DD_CASES : Infinity);
  const source = caseSource(job.run.session.variant, work);
  const started = performance.now();
  let runsCorpus = !strict;
  const corpusOnce = async (): Promise<void> => {
    if (runsCorpus && !job.hasEnough) await runCorpus(job);
    runsCorpus = false;
  };
  if (first === 0) await corpusOnce();
  let timeUp = false;
  let chunk = first;
  for (; !job.hasEnough && !timeUp; chunk += jobs) {
    const left = cases - chunk * CASES_PER_CHUNK;
    if (left <= 0) break;
    await runChunk(job, source, chunk, Math.min(left, CASES_PER_CHUNK), corpusOnce);
    await breathe();
    timeUp = job.isTimeUp;
  }
  const ending = performance.now();
  if (!job.hasEnough) await job.checkpoint(Math.max(first, chunk - jobs), true);
  job.ending = performance.now() - ending;
  job.finished(started, { timeUp });
}
