/**
 * What a worker is asked, and what it tells: plain data, over an IPC channel on the host and over a
 * serial line from a guest.
 */
import type { ModelConfig } from "../../model/tables.ts";
import type { Divergence, EarlierCase } from "../finding/divergence.ts";
import type { TimelineStep } from "../finding/timeline.ts";
import type { DrivenEdges } from "../explore/driven.ts";
import type { Exploration } from "../explore/exploration.ts";
import type { Explored } from "../explore/explored.ts";
import type { TellingStates } from "../explore/own-states.ts";
import type { EnvironmentCause } from "../case/failure.ts";
import type { ObjectCounters } from "../subjects/gcov.ts";
import type { KernelTraits } from "../under-test/kernel-traits.ts";
import type { Handover } from "../lockstep/handover.ts";
import type { Statistics } from "../lockstep/statistics.ts";
import type { Operation } from "../operations/operation.ts";
import type { StoredObservation } from "../case/stored-observation.ts";
import type { Variant } from "../case/variant.ts";
import type { CaseEvent } from "../session/events.ts";
import type { SessionOptions } from "../session/session.ts";
import type { FoundDivergence, Mounted, RunCounts } from "../stored/result.ts";

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
  /** Of a thousand cases, those about a deep extent tree; undefined for as many as is usual. */
  deepTrees?: number | undefined;
}

/** What is done with each variant. */
export type Work =
  | Generate
  /** All fault points of a case (generation/fault-points.ts). */
  | { kind: "enumerate"; operations: Operation[] }
  /** All that a small file can come to. */
  | { kind: "explore"; exploration: Exploration };

/** A share of a run. */
export interface Assignment extends SessionOptions {
  /** Names, in the order in which they run. */
  variants: string[];
  work: Work;
  /** Seconds from now for all variants together; undefined where cases alone are the limit. */
  seconds: number | undefined;
  /** This worker runs the chunks job, job + jobs, job + 2 jobs, ... */
  job: number;
  jobs: number;
  /**
   * Say before each case which it is: where the worker may go down with its kernel. Else once a
   * chunk.
   */
  tellCases: boolean;
  /** End with the first divergence that is not accepted, and run no further variant. */
  first: boolean;
  /** Identities of findings that end nothing (finding/identity.ts). */
  accepted: string[];
  /** Tell the shape of each case (shape.ts). */
  shapes: boolean;
  /** Count what operations meet. */
  statistics: boolean;
}

/** A case to be run by itself, on a fresh image. */
export interface Attempt extends SessionOptions {
  variant: Variant;
  operations: Operation[];
  /** Cases that come before it on the same file system. */
  before?: EarlierCase[] | undefined;
  /** Say too which known deviations explain the case. */
  name: boolean;
}

/** What became of an attempt. */
export interface Attempted {
  divergence?: Divergence | undefined;
  /** The known deviations that explain the case, where that was asked and some do. */
  named?: string[] | undefined;
  /** The promise that it breaks too, in words (stored/result.ts). */
  breaks?: string | undefined;
  /** Trace events that the failing call passed, where that was asked and the kernel tells. */
  passed?: string[] | undefined;
  /** Absent where the kernel did not live to say. */
  mounted?: Mounted | undefined;
  /** Operations that the machine could not do as they are, in words. */
  notDone?: string[] | undefined;
  /** What was done in place of operations that cannot be done as they stand, in words. */
  clamped?: string[] | undefined;
  /** From where on the contract alone judged the case; absent where it did not. */
  handedOver?: Handover | undefined;
  /** Of the case itself; what a divergence shows may have come further on. */
  timeline?: TimelineStep[] | undefined;
}

/** A recording of generated cases, to be made on a fresh image. */
export interface Recording extends Omit<Generate, "kind" | "cases"> {
  variant: Variant;
  cases: number;
  traits: KernelTraits;
}

/** What a recording is of, as it turned out to be. */
export interface RecordedImage {
  variant: Variant;
  mounted: Mounted;
  /** What the model is to be told. */
  config: ModelConfig;
  /** What the contract must know. */
  leeway: { mayFillUp: boolean; filesEndEarly: boolean };
}

/** A step of a recording: an operation as it was performed, and what was seen right after it. */
export interface RecordedStep {
  operation: Operation;
  seen: StoredObservation;
}

export type Request =
  | { type: "probe" }
  | { type: "run"; assignment: Assignment }
  | { type: "attempt"; attempt: Attempt }
  | { type: "record"; recording: Recording }
  /** What ran of the kernel so far. */
  | { type: "count" }
  /** The worker ends. */
  | { type: "end" };

/** What is told of an exploration. */
type ExplorationNews =
  /** The states of the file that were found so far, before any edge is driven. */
  | { type: "states"; states: number }
  /** What the states look like, where that was asked for and there are not too many. */
  | { type: "looks"; looks: TellingStates }
  /** The graph for Graphviz, where that was asked for; undefined where it is too large. */
  | { type: "picture"; picture: string | undefined }
  /** How far it has come. */
  | { type: "exploring"; explored: Explored }
  /** The edges that were driven, before and now, where that was asked for. */
  | { type: "driven"; driven: DrivenEdges };

/** What a job came to on a variant. */
export interface Finished {
  counts: RunCounts;
  seconds: number;
  /** The time was up before all cases were run. */
  timeUp?: boolean;
  /** So much was found that the cases that were left were not run. */
  foundEnough?: boolean;
  explored?: Explored;
  /** What operations met, where that was asked for. */
  statistics?: Statistics;
}

/** What is told of the variant that is run. */
export type VariantNews =
  | ExplorationNews
  | Exclude<CaseEvent, { type: "performed" | "conforms" }>
  | ({ type: "mounted" } & Mounted)
  /** From now on the contract alone judges, and why. */
  | { type: "promised"; promised: string }
  | { type: "progress"; counts: RunCounts }
  /** A finding that was told of has shown once more; by its identity. */
  | { type: "met"; identity: string }
  /** `shapes` is packed (shape.ts), where it was asked for. */
  | ({ type: "finished"; shapes?: string } & Finished);

/** What was found, before anybody has counted how often. */
export type NewFinding = Omit<FoundDivergence, "met" | "accepted">;

export type Message =
  | ({ variant: string } & VariantNews)
  /** Answers "probe". */
  | { type: "traits"; traits: KernelTraits; commandLine: string }
  | { type: "found"; found: NewFinding }
  /** Before the first case of a recording. */
  | { type: "image"; image: RecordedImage }
  /** A case of a recording, with the blocks that were free before it. */
  | { type: "recorded"; freeBlocks: number | undefined; steps: RecordedStep[] }
  /** Answers "run" and "record". */
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
