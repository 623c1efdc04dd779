/**
 * Divergence: the finding. Model and kernel, or kernel and contract, disagree after a step of a
 * case.
 *
 * It is plain data that JSON holds without loss, so it can be shrunk, stored, printed and sent from
 * a guest; the one thing of an observation that is bulky, the bytes that were read, is kept as a
 * digest and the bytes that matter.
 */
import * as z from "zod";
import type { Observation } from "../case/observation.ts";
import { operationsSchema, someOperationsSchema } from "../operations/operation.ts";
import { count, recordedSchema, recordObservation, text } from "./recorded.ts";
import { timelineSchema } from "./timeline.ts";
import { SEVERITIES, severities } from "./severity.ts";
import type { DivergenceKind } from "./severity.ts";

export type { DivergenceKind } from "./severity.ts";

export const DIVERGENCE_KINDS = Object.keys(severities) as DivergenceKind[];
export const divergenceKindSchema = z.enum(DIVERGENCE_KINDS);

/** Cases that are stored before one: more than come between two checkpoints. */
const MAX_EARLIER = 10_000;

/**
 * A case that ran on the same file system before the one that is told of: what it left there may be
 * what shows.
 */
const earlierCaseSchema = z.strictObject({
  /**
   * Its file stayed to the end, to be looked at on disk; else it was removed when the next case
   * began.
   */
  kept: z.literal(true).exactOptional(),
  operations: someOperationsSchema,
});

export const earlierCasesSchema = z.array(earlierCaseSchema).max(MAX_EARLIER);

export type EarlierCase = z.infer<typeof earlierCaseSchema>;

export const divergenceSchema = z.strictObject({
  /** Name of the variant. */
  variant: text,
  /**
   * Index in `operations` of the operation after which it showed; the last one for what a
   * checkpoint finds.
   */
  step: count,
  operations: operationsSchema,
  /**
   * Cases that ran on the same file system before, where it takes them; the first one first. Absent
   * where it takes none.
   */
  before: earlierCasesSchema.exactOptional(),
  kind: divergenceKindSchema,
  /**
   * The promise that is broken, by its id (harness/contract/promises.ts); of kind contract only.
   */
  promise: z.strictObject({ id: text, severity: z.enum(SEVERITIES) }).exactOptional(),
  /**
   * What the model, or the contract, allows. Absent where no observation was made: a hang, a line
   * in the kernel log.
   */
  expected: recordedSchema.exactOptional(),
  seen: recordedSchema.exactOptional(),
  /** What led to it; absent where nobody wrote that down. */
  timeline: timelineSchema.exactOptional(),
  /** The first difference in words, one line. */
  message: text,
  /** What a program said that a reader will want to see: lines of e2fsck or of the kernel log. */
  evidence: z.array(text).exactOptional(),
});

export type Divergence = z.infer<typeof divergenceSchema>;

/** What `divergence` is made of: observations as they were made, with their bytes. */
export interface DivergenceParts extends Omit<Divergence, "expected" | "seen"> {
  expected?: Observation | undefined;
  seen?: Observation | undefined;
}

/**
 * Index of the first byte in which two reads differ, or that only one of them has; -1 where they
 * are equal.
 */
export function firstDifferentByte(expected: Uint8Array, seen: Uint8Array): number {
  const common = Math.min(expected.length, seen.length);
  for (let i = 0; i < common; i++) if (expected[i] !== seen[i]) return i;
  return expected.length === seen.length ? -1 : common;
}

/** What was read, in the operation or after it. */
function bytesOf(observation: Observation | undefined): Uint8Array | undefined {
  return observation?.read ?? observation?.cut?.file?.bytes;
}

/** Make a Divergence of live observations, which the caller may go on to change. */
export function divergence(parts: DivergenceParts): Divergence {
  const { expected, seen, ...rest } = parts;
  let offset = 0;
  const [should, is] = [bytesOf(expected), bytesOf(seen)];
  if (should !== undefined && is !== undefined) {
    offset = Math.max(0, firstDifferentByte(should, is));
  }
  return {
    ...rest,
    operations: rest.operations.map((operation) => ({ ...operation })),
    ...(expected === undefined ? {} : { expected: recordObservation(expected, offset) }),
    ...(seen === undefined ? {} : { seen: recordObservation(seen, offset) }),
  };
}
