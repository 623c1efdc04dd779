/**
 * What a worker tells the supervisor: plain data over an IPC channel.
 */
import type { Divergence } from "../divergence.ts";
import type { ExecutorName } from "./executor.ts";
import type { EnvironmentCause } from "../failure.ts";
import type { KernelTraits } from "../kernel-traits.ts";
import type { RunCounts } from "./variant-run.ts";

/** What a worker is asked to do. */
export interface Assignment {
  /** Names, in the order in which they run. */
  variants: string[];
  seed: number;
  /** Cases for each variant, over all jobs; undefined where time is the limit. */
  cases: number | undefined;
  /** Seconds for each variant. */
  seconds: number | undefined;
  maxLength: number;
  strict: boolean;
  executor: ExecutorName;
  /** This worker runs the chunks job, job + jobs, job + 2 jobs, ... */
  job: number;
  jobs: number;
  traits: KernelTraits;
}

/** A divergence that a worker found, confirmed it and gave it a name where it has one. */
export interface FoundDivergence {
  variant: string;
  /** Number of the case; -1 for a case of the corpus. */
  case: number;
  divergence: Divergence;
  /** It showed again on a fresh image. */
  confirmed: boolean;
  /** Known deviations that explain it, by id. */
  named: string[];
}

export type Message =
  | { type: "progress"; variant: string; counts: RunCounts }
  /** Alive, in the middle of `chunk`. */
  | { type: "chunk"; variant: string; chunk: number }
  | { type: "found"; found: FoundDivergence }
  | { type: "finished"; variant: string; counts: RunCounts; seconds: number }
  | { type: "environment"; reason: EnvironmentCause; message: string; remedy: string }
  | { type: "broken"; stack: string };
