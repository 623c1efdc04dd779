/**
 * A shard: one machine's part of a campaign. Shards of one seed run chunks (chunk.ts) of their own,
 * so that no case is run twice and all of them together run what one machine would have.
 */
import { UsageError } from "../case/failure.ts";

export interface Shard {
  /** From 1. */
  index: number;
  of: number;
}

/** All of a campaign. */
export const WHOLE: Shard = { index: 1, of: 1 };

const MAX_SHARDS = 10_000;

/** "2/5". Throws UsageError. */
export function parseShard(text: string): Shard {
  const [index = 0, of = 0] = (/^(\d+)\/(\d+)$/.exec(text) ?? []).slice(1).map(Number);
  if (index >= 1 && index <= of && of <= MAX_SHARDS) return { index, of };
  throw new UsageError(
    `"${text}" is no shard: it is a number from 1 to N, a slash, and N (at most ${MAX_SHARDS})`,
  );
}

/**
 * Which of a campaign's jobs, from 0, a shard's job is, and how many there would be if every shard
 * had `jobs` of them: the job runs chunks job, job + jobs, ... That shards have different numbers
 * of jobs makes no difference to which chunks are theirs.
 */
export function jobOf(
  { index, of }: Shard,
  job: number,
  jobs: number,
): { job: number; jobs: number } {
  return { job: index - 1 + of * job, jobs: of * jobs };
}
