/**
 * What of a case was not done as it stands: operations that `clampOperation` shortened or left out,
 * so that nobody takes "agrees on all operations" for more than it says.
 */
import {
  clampedWhy,
  clampOperation,
  describeOperation,
  duringOf,
  fileOf,
} from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";
import type { Observation } from "../case/observation.ts";

/** An operation that was not done as it stands. */
export interface Clamping {
  /** Of the case; where it was done during the pause of that one, the other. */
  step: number;
  asked: Operation;
  /** Undefined where nothing was left to do. */
  done: Operation | undefined;
  why: string;
}

function clampingOf(step: number, asked: Operation, i_size: number): Clamping | undefined {
  const why = clampedWhy(asked, i_size);
  return why === undefined ? undefined : { step, asked, done: clampOperation(asked, i_size), why };
}

/**
 * What was clamped of `operations`, of which `seen` is what was seen after each, as far as they
 * were done.
 */
export function clampingsIn(
  operations: readonly Operation[],
  seen: readonly Pick<Observation, "i_size" | "during">[],
): Clamping[] {
  // A new file is empty.
  const sizes = [0, 0];
  return seen.flatMap(({ during = [], i_size }, step) => {
    const asked = operations[step]!;
    const own = clampingOf(step, asked, sizes[fileOf(asked)]!);
    sizes[fileOf(asked)] = i_size;
    const others = duringOf(asked).map((one, i) =>
      during[i] === undefined ? undefined : clampingOf(step, one, during[i].i_size),
    );
    return [own, ...others].filter((one) => one !== undefined);
  });
}

/** The clamping as a line, without its end. */
export function describeClamping({ step, asked, done, why }: Clamping): string {
  const instead = done === undefined ? "nothing was done" : `${describeOperation(done)} was done`;
  return `clamped: operation ${step}: ${describeOperation(asked)} was asked for, ${instead}: ${why}`;
}
