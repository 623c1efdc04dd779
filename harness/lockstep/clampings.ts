/**
 * What of a case was not done as it stands: operations that `clampOperation` shortened or left out,
 * so that nobody takes "agrees on all operations" for more than it says.
 */
import {
  clampedWhy,
  clampOperation,
  describeOperation,
  duringOf,
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
  return seen.flatMap(({ during = [] }, step) => {
    const asked = operations[step]!;
    // A new file is empty; a change to the other file is an operation, after which its size is
    // seen.
    const own = clampingOf(step, asked, seen[step - 1]?.i_size ?? 0);
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
