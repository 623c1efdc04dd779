/**
 * What a worker is asked, and what it tells: plain data, over an IPC channel on the host and over a
 * serial line from a guest.
 */
import type { ModelConfig } from "../../model/tables.ts";
import type { Divergence } from "../finding/divergence.ts";
import type { EarlierCase } from "../finding/earlier-case.ts";
import type { DrivenEdges } from "../explore/driven.ts";
import type { Exploration } from "../explore/exploration.ts";
import type { Explored } from "../explore/explored.ts";
import type { TellingStates } from "../explore/own-states.ts";
import type { ExecutorName } from "../subjects/executor.ts";
import type { EnvironmentCause } from "../case/failure.ts";
import type { ObjectCounters } from "../subjects/gcov.ts";
import type { KernelTraits } from "../under-test/kernel-traits.ts";
import type { Handover } from "../lockstep/handover.ts";
import type { Statistics } from "../lockstep/statistics.ts";
import type { Operation } from "../operations/operation.ts";
import type { Variant } from "../case/variant.ts";
import type { RunCounts } from "./run-counts.ts";

/** Cases that follow from a seed. */
export interface Generate {
  kind: "generate";
  seed: number;
  /** For each variant, over all jobs; undefined where time alone is the limit. */
  cases: number | undefined;
  /** Most operations in a case. */
  maxLength: number;
  /** Of a thousand cases, those with a power cut; undefined for as many as is usual. */
  powerCuts?: number | undefined;
}

/** What is done with each variant. */
export type Work =
  | Generate
  /** All fault points of a case (generation/fault-points.ts). */
  | { kind: "enumerate"; operations: Operation[] }
  /** All that a small file can come to. */
  | { kind: "explore"; exploration: Exploration };

/** A share of a run. */
export interface Assignment {
  /** Names, in the order in which they run. */
  variants: string[];
  work: Work;
  /** Seconds from now for all variants together; undefined where cases alone are the limit. */
  seconds: number | undefined;
  strict: boolean;
  executor: ExecutorName;
  /** This worker runs the chunks job, job + jobs, job + 2 jobs, ... */
  job: number;
  jobs: number;
  traits: KernelTraits;
  /**
   * Say before each case which it is: where the worker may go down with its kernel. Else once a
   * chunk.
   */
  tellCases: boolean;
  /** Run no further variant once one has diverged. */
  first: boolean;
  /** Tell the shape of each case (shape.ts). */
  shapes: boolean;
  /** Count what operations meet. */
  statistics: boolean;
}

/** A case to be run by itself, on a fresh image. */
export interface Attempt {
  variant: Variant;
  operations: Operation[];
  /** Cases that come before it on the same file system. */
  before?: EarlierCase[] | undefined;
  strict: boolean;
  executor: ExecutorName;
  traits: KernelTraits;
  /** Say too which known deviations explain the case. */
  name: boolean;
}

/** What became of an attempt. */
export interface Attempted {
  divergence?: Divergence | undefined;
  /** The known deviations that explain the case, where that was asked and some do. */
  named?: string[] | undefined;
  /** Absent where the kernel did not live to say. */
  mounted?: Mounted | undefined;
  /** Operations that the machine could not do as they are, in words. */
  notDone?: string[] | undefined;
  /** What was done in place of operations that cannot be done as they stand, in words. */
  clamped?: string[] | undefined;
  /** From where on the contract alone judged the case; absent where it did not. */
  handedOver?: Handover | undefined;
}

export type Request =
  | { type: "probe" }
  | { type: "run"; assignment: Assignment }
  | { type: "attempt"; attempt: Attempt }
  /** What ran of the kernel so far. */
  | { type: "count" }
  /** The worker ends. */
  | { type: "end" };

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

/** How a variant's image was mounted. */
export interface Mounted {
  /**
   * What a buffered write of a new file on it was seen to take; undefined where the kernel does not
   * tell.
   */
  path: ModelConfig["path"] | undefined;
  /** As in /proc/self/mounts. */
  options: string;
  /** Why the contract alone judges it; absent where the model does. */
  promised?: string;
}

/** A case that a worker is about to run. */
export interface CaseMark {
  variant: string;
  /** Its number in the run. */
  case: number;
  /** Its file stays for the next checkpoint. */
  kept: boolean;
}

/** What is told of an exploration. */
export type ExplorationMessage =
  /** The states of the file that were found so far, before any edge is driven. */
  | { type: "states"; variant: string; states: number }
  /** What the states look like, where that was asked for and there are not too many. */
  | { type: "looks"; variant: string; looks: TellingStates }
  /** The graph for Graphviz, where that was asked for; undefined where it is too large. */
  | { type: "picture"; variant: string; picture: string | undefined }
  /** How far it has come. */
  | { type: "exploring"; variant: string; explored: Explored }
  /** The edges that were driven, before and now, where that was asked for. */
  | { type: "driven"; variant: string; driven: DrivenEdges };

const EXPLORATION = new Set<Message["type"]>(["states", "looks", "picture", "exploring", "driven"]);

/** Whether a message tells of an exploration. */
export function isOfExploration(message: Message): message is ExplorationMessage {
  return EXPLORATION.has(message.type);
}

export type Message =
  | ExplorationMessage
  /** Answers "probe". */
  | { type: "traits"; traits: KernelTraits; commandLine: string }
  | ({ type: "mounted"; variant: string } & Mounted)
  | { type: "progress"; variant: string; counts: RunCounts }
  | ({ type: "case" } & CaseMark)
  /**
   * About to run operations that do not follow from the number of a case: shrinking, confirming,
   * the corpus.
   */
  | { type: "trying"; variant: string; operations: Operation[] }
  /**
   * About to go on with a walk over the states of a small file, or to begin one with a new file.
   */
  | { type: "walking"; variant: string; fresh: boolean; operations: Operation[] }
  /** The file of the walk, which did this in all, stays for the next checkpoint. */
  | { type: "kept"; variant: string; operations: Operation[] }
  /** About to unmount and look at the disk; `done` when that is over. */
  | { type: "checkpoint"; variant: string; done: boolean }
  /** A case has failed, for the first time; shrinking begins. */
  | { type: "diverged"; variant: string }
  | { type: "found"; found: FoundDivergence }
  /** `shapes` is packed (shape.ts), where it was asked for. */
  | {
      type: "finished";
      variant: string;
      counts: RunCounts;
      seconds: number;
      shapes?: string;
      /** It ended because its time was up. */
      timeUp?: boolean;
      explored?: Explored;
      statistics?: Statistics;
    }
  /** Answers "run". */
  | { type: "done" }
  /** Of one object of the kernel. */
  | ({ type: "counters" } & ObjectCounters)
  /** Answers "count". */
  | { type: "counted" }
  /** Answers "attempt". */
  | ({ type: "attempted" } & Attempted)
  /** Something came back from the kernel. */
  | { type: "alive" }
  | { type: "environment"; reason: EnvironmentCause; message: string; remedy: string }
  | { type: "broken"; stack: string };
