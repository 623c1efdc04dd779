/**
 * Observations that were recorded, as a Subject: lets another model be held against what a kernel
 * did, without the kernel.
 */
import type { Observation } from "../case/observation.ts";
import type { Subject } from "./subject.ts";

export class ReplaySubject implements Subject {
  readonly name = "recorded";
  readonly #observations: readonly Observation[];

  /** Blocks that were free before the case; undefined where nobody recorded that. */
  readonly freeBlocks: number | undefined;

  constructor(observations: readonly Observation[], freeBlocks?: number) {
    this.#observations = observations;
    this.freeBlocks = freeBlocks;
  }

  begin(): void {}

  end(): void {}

  /**
   * What was seen after operation number `index`. Throws RangeError past the end of the recording.
   */
  step(_operation: unknown, index: number): Observation {
    const observation = this.#observations[index];
    if (observation === undefined) throw new RangeError(`nothing was recorded for step ${index}`);
    return observation;
  }
}
