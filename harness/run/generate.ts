/**
 * Generating: the stored cases, then those that follow from a seed, chunk after chunk.
 */
import { corpusDirectory } from "../host/package.ts";
import { readCorpus } from "../stored/corpus.ts";
import type { Generate } from "../workers/messages.ts";
import { CASES_PER_CHUNK, caseSource } from "./chunk.ts";
import type { CaseSource } from "./chunk.ts";
import { breathe } from "../system/sleep.ts";
import type { VariantJob } from "./variant-job.ts";

/**
 * Cases for each variant where programs perform them and nobody says how many: some ten seconds.
 */
const DD_CASES = 20;

/** What stored cases come to: whether one diverged, and whether the variant ends with it. */
interface Corpus {
  found: boolean;
  ends: boolean;
}

const CONFORMS: Corpus = { found: false, ends: false };
const ENDS: Corpus = { found: true, ends: true };

/**
 * Run the stored cases. Where the kernel differs from the model in one, and keeps what is promised,
 * the contract judges that kernel from there on: a difference that is known by now hides nothing
 * behind it. They hold known deviations, so a strict run leaves them out. Of several jobs the first
 * one reports them.
 */
async function corpus(job: VariantJob): Promise<Corpus> {
  const { run, teller, assignment } = job;
  let found = false;
  for (const { name, operations } of readCorpus(corpusDirectory)) {
    if (job.isTimeUp) break;
    const divergence = run.replay(operations);
    if (divergence === undefined) continue;
    teller.tell({ type: "diverged" });
    if (assignment.job === 0) await job.report(-1, divergence, operations);
    if (assignment.first || run.session.model === undefined) return ENDS;
    found = true;
    job.judgeByContract(`the model does not follow this kernel, see the stored case ${name}`);
    if (run.replay(operations) !== undefined) return ENDS;
  }
  return { found, ends: false };
}

/** Whether the chunk, or the checkpoint after it, showed a divergence. */
async function runChunk(
  job: VariantJob,
  source: CaseSource,
  chunk: number,
  cases: number,
): Promise<boolean> {
  const finding = job.run.runChunk(source, chunk, cases, job.until);
  if (finding !== undefined) {
    await job.report(finding.case, finding.divergence, finding.operations);
    return true;
  }
  return job.run.session.checkpointDue && job.fails(chunk);
}

/** Run this job's chunks until a limit or the divergence that ends it; whether there was one. */
export async function generate(job: VariantJob, work: Generate): Promise<boolean> {
  const { executor, strict, job: first, jobs } = job.assignment;
  const cases = work.cases ?? (executor === "dd" ? DD_CASES : Infinity);
  const source = caseSource(job.run.session.variant, work);
  const started = performance.now();
  let chunk = first;
  let stored = first === 0 && !strict ? await corpus(job) : CONFORMS;
  let found = stored.ends;
  let timeUp = false;
  for (; !found; chunk += jobs) {
    const left = cases - chunk * CASES_PER_CHUNK;
    if (left <= 0) break;
    found = await runChunk(job, source, chunk, Math.min(left, CASES_PER_CHUNK));
    await breathe();
    timeUp = job.isTimeUp;
    if (timeUp) break;
    if (found && first > 0 && !strict && !stored.found) {
      stored = await corpus(job);
      found = !stored.found || stored.ends;
    }
  }
  const ending = performance.now();
  found ||= await job.fails(Math.max(first, chunk - jobs), true);
  job.ending = performance.now() - ending;
  job.teller.finished(job.run, started, { timeUp });
  return found || stored.found;
}
