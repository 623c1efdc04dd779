/**
 * Which known deviations a kernel shows: found out by running the witness of each, and proved again
 * for every case in which one had a part.
 */
import { knownDeviations, watchedDeviations } from "../../model/deviations/index.ts";
import type { Deviation } from "../../model/deviations/index.ts";
import type { ModelConfig } from "../../model/tables.ts";
import { REPEATS, runCase } from "./lockstep.ts";
import type { LockstepOptions } from "./lockstep.ts";
import { ModelSubject } from "./model-subject.ts";
import type { Observation } from "../case/observation.ts";
import { operationsSchema } from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";
import { ReplaySubject } from "./replay-subject.ts";
import type { Subject } from "./subject.ts";

/** The model of `config` with the given deviations. */
export function modelWith(config: ModelConfig, deviations: readonly Deviation[]): ModelSubject {
  return new ModelSubject(
    config,
    deviations.map(({ override }) => override),
  );
}

/** The operations of a deviation's witness. */
export function witnessOf(deviation: Deviation): Operation[] {
  return operationsSchema.parse(deviation.witness.operations);
}

/** That, and what shows it where that does not. */
export function witnessesOf(deviation: Deviation): Operation[][] {
  const { also } = deviation.witness;
  return [witnessOf(deviation), ...(also === undefined ? [] : [operationsSchema.parse(also)])];
}

function agrees(
  model: ModelSubject,
  subject: Subject,
  operations: readonly Operation[],
  options: LockstepOptions,
): boolean {
  const { divergence } = runCase(model, subject, operations, options);
  return divergence === undefined;
}

/**
 * The known deviations that show at unmount and that probing the kernel found
 * (KernelTraits.atUnmount).
 */
export function unmountDeviations(ids: readonly string[]): Deviation[] {
  return knownDeviations.filter(({ id }) => ids.includes(id));
}

/**
 * The known deviations that `subject` shows after an operation: those of which it follows a
 * witness, or what `tried` has in its place, with the deviation and not without; `besides`, it
 * shows others. One that neither explains is left out, and the run will find it unnamed.
 */
export function shownDeviations(
  config: ModelConfig,
  subject: Subject,
  options: LockstepOptions,
  tried: (deviation: Deviation) => readonly (readonly Operation[])[] = witnessesOf,
  besides: readonly Deviation[] = [],
): Deviation[] {
  const shown: Deviation[] = [];
  for (const deviation of watchedDeviations(config.path)) {
    const repeating = { ...options, repeats: REPEATS };
    const before = [...besides, ...shown];
    const [ideal, deviated] = [before, [...before, deviation]].map((set) => modelWith(config, set));
    const shows = tried(deviation).some(
      (operations) =>
        !agrees(ideal!, subject, operations, repeating) &&
        agrees(deviated!, subject, operations, repeating),
    );
    if (shows) shown.push(deviation);
  }
  subject.end();
  return shown;
}

/** Whether what was recorded of a case cannot be had without `deviation`. */
export function needsDeviation(
  config: ModelConfig,
  deviations: readonly Deviation[],
  deviation: Deviation,
  operations: readonly Operation[],
  recorded: readonly Observation[],
  options: LockstepOptions,
): boolean {
  const others = deviations.filter((other) => other !== deviation);
  return !agrees(modelWith(config, others), new ReplaySubject(recorded), operations, options);
}

/** All sets of at most `most` of the items, the smaller first. */
export function subsets<T>(items: readonly T[], most = Infinity): T[][] {
  let sets: T[][] = [[]];
  for (const item of items) {
    const smaller = sets.filter(({ length }) => length < most);
    sets = [...sets, ...smaller.map((set) => [...set, item])];
  }
  return sets.toSorted((a, b) => a.length - b.length);
}

/** Deviations that one case is taken to show at once: each set is tried on the kernel. */
const MOST_AT_ONCE = 3;

/**
 * The smallest set of at most three known deviations, maybe an empty one, with which `subject`
 * follows the case; undefined where none does. What shows at unmount may show in the page cache
 * before.
 */
export function nameDeviations(
  config: ModelConfig,
  subject: Subject,
  operations: readonly Operation[],
  options: LockstepOptions,
): Deviation[] | undefined {
  const follows = (set: Deviation[]): boolean =>
    agrees(modelWith(config, set), subject, operations, { ...options, repeats: REPEATS });
  const atUnmount = knownDeviations.filter(
    ({ visible, path }) => visible === "unmount" && path === config.path,
  );
  return subsets([...watchedDeviations(config.path), ...atUnmount], MOST_AT_ONCE).find(follows);
}
