/**
 * Observations that were recorded, as a Subject: lets another model be held against what a kernel
 * did, without the kernel.
 */
import type { Observation } from "../case/observation.ts";
import type { Subject } from "./subject.ts";

export class ReplaySubject implements Subject {
  readonly name = "recorded";
  readonly #observations: readonly Observation[];

  constructor(observations: readonly Observation[]) {
    this.#observations = observations;
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
