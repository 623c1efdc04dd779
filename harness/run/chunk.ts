/**
 * Chunk: a run is cut into chunks of cases, each generated from a seed of its own. So a case is the
 * same whoever runs it, the process can breathe between two chunks (signals, progress), and N jobs
 * share the chunks without overlap.
 */
import * as fc from "fast-check";
import { ModelBroken } from "../../model/include/assert.ts";
import { operations as operationsArbitrary } from "../generation/operations.ts";
import type { Operation } from "../operations/operation.ts";
import type { Variant } from "../case/variant.ts";
import type { Generate } from "../workers/messages.ts";

/** Cases in a chunk: tens of milliseconds. */
export const CASES_PER_CHUNK = 50;

/**
 * What a run generates: everything there is, whether or not the kernel under test can do it, so
 * that all run the same cases.
 */
export function generatedCases({
  powerCuts: cutPerMille,
  deepTrees: deepPerMille,
  ...rest
}: Omit<Generate, "kind" | "seed" | "cases"> & { variant: Variant }): fc.Arbitrary<Operation[]> {
  const rare = { cutPerMille, deepPerMille };
  return operationsArbitrary({ ...rest, ...rare, everything: true, twoFiles: true });
}

/** Where the cases of a run come from. */
export interface CaseSource {
  arbitrary: fc.Arbitrary<Operation[]>;
  seed: number;
}

/** The source of what is generated for a variant. */
export function caseSource(
  variant: Variant,
  { seed, ...rest }: Omit<Generate, "kind" | "cases">,
): CaseSource {
  return { arbitrary: generatedCases({ variant, ...rest }), seed };
}

/**
 * The seed of a chunk: both numbers mixed into 32 bits (the finaliser of MurmurHash3, Appleby,
 * public domain).
 */
export function chunkSeed(seed: number, chunk: number): number {
  let h = (seed ^ Math.imul(chunk + 1, 0x9e3779b1)) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) | 0;
}

/** What a failing case shrank to. */
export interface Shrunk {
  /** Number of the case in the chunk. */
  index: number;
  operations: Operation[];
}

export interface ChunkOptions extends CaseSource {
  /** At most CASES_PER_CHUNK. */
  cases: number;
  /** Milliseconds that shrinking may take. */
  shrinkMs: number;
}

/**
 * Run the cases of a chunk; `fails` says whether a case does. Returns the first that did, shrunk.
 *
 * A case that breaks the model is shrunk too, and then thrown as ModelBroken with its operations.
 * Whatever else `fails` throws is about the machine: the chunk ends there and the error is passed
 * on, unless a case has failed before: then shrinking ends there (a kernel that fails may leave a
 * file system that nothing can be tried on any more).
 */
export function checkChunk(
  options: ChunkOptions,
  fails: (operations: Operation[]) => boolean,
): Shrunk | undefined {
  let broken: ModelBroken | undefined;
  let diverged = false;
  let fatal: unknown;
  const conforms = (operations: Operation[]): boolean => {
    if (fatal !== undefined) return true;
    try {
      const failed = fails(operations);
      if (broken !== undefined) return true;
      diverged ||= failed;
      return !failed;
    } catch (error) {
      if (error instanceof ModelBroken) {
        if (diverged) return true;
        broken = new ModelBroken(`${error.message}, in ${JSON.stringify(operations)}`);
        return false;
      }
      fatal = error;
      return true;
    }
  };
  const details = fc.check(fc.property(options.arbitrary, conforms), {
    seed: options.seed,
    numRuns: options.cases,
    interruptAfterTimeLimit: options.shrinkMs,
  });
  if (broken !== undefined) throw broken;
  if (fatal !== undefined && !diverged) throw fatal;
  if (details.counterexample === null) return undefined;
  return { index: details.numRuns - 1, operations: details.counterexample[0] };
}

/** The operations of the case with this number in a run, as `checkChunk` draws them. */
export function caseNumbered(
  arbitrary: fc.Arbitrary<Operation[]>,
  seed: number,
  number: number,
): Operation[] {
  const index = number % CASES_PER_CHUNK;
  const chunk = (number - index) / CASES_PER_CHUNK;
  const drawn = fc.sample(arbitrary, { seed: chunkSeed(seed, chunk), numRuns: index + 1 });
  return drawn[index]!;
}
