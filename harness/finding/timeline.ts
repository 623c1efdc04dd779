/**
 * Timeline: what was expected and seen after every operation of a case, so that a reader can follow
 * how it came to what was found.
 */
import * as z from "zod";
import type { Observation } from "../case/observation.ts";
import { count, recordObservation, recordedSchema } from "./recorded.ts";

/** Steps that are kept, the last ones. A case that was shrunk has fewer. */
const MAX_STEPS = 40;

/** Extents of all of them together that are kept. More tell a reader nothing. */
const MAX_EXTENTS = 4000;

const stepSchema = z.strictObject({
  /** Index of the operation. */
  step: count,
  /** Absent where the contract alone judges. */
  expected: recordedSchema.exactOptional(),
  seen: recordedSchema,
});

/** In order; the first operations may be left out. */
export const timelineSchema = z.array(stepSchema).max(MAX_STEPS);

export type TimelineStep = z.infer<typeof stepSchema>;

/** Writes a timeline down as a case is performed. */
export class Timeline {
  #steps: TimelineStep[] = [];

  /** The subject showed this after operation `step`. A case that is begun anew is written anew. */
  saw(seen: Observation, step: number): void {
    if (step === 0) this.#steps = [];
    this.#steps.push({ step, seen: recordObservation(seen) });
    if (this.#steps.length > MAX_STEPS) this.#steps.shift();
  }

  /** The model showed this after the operation that was seen last. */
  expected(expected: Observation, step: number): void {
    const last = this.#steps.at(-1);
    if (last?.step === step) last.expected = recordObservation(expected);
  }

  /** As many of the last steps as are worth their room. */
  get steps(): TimelineStep[] {
    let left = MAX_EXTENTS;
    const from = this.#steps.findLastIndex(({ seen, expected }) => {
      left -= seen.map.length + (expected?.map.length ?? 0);
      return left < 0;
    });
    return this.#steps.slice(from + 1);
  }
}
