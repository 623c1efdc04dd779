/**
 * `ext4-conform/operations`: arbitraries of what programs do with a file, for somebody's own tests
 * with fast-check, which is to be installed beside this package.
 */
import type * as fc from "fast-check";
import { UsageError } from "../case/failure.ts";
import { operations as arbitrary } from "../generation/operations.ts";
import { namesToDraw } from "../operations/generation.ts";
import { operationsSchema } from "../operations/operation.ts";
import type { Operation, OperationName } from "../operations/operation.ts";
import { parsedBy } from "../trace/schema-fault.ts";
import { variantNamed } from "../under-test/variants.ts";

export { describeOperation } from "../operations/operation.ts";
export type { Operation, OperationName, OperationOf } from "../operations/operation.ts";

/** All that there are. */
export const operationNames: readonly OperationName[] = [
  ...new Set([...namesToDraw("deep"), "power_cut" as const]),
];

export interface CaseOptions {
  /**
   * Name of the file system (`ext4-conform variants`), whose blocks and size decide which positions
   * are worth visiting. "4k-delalloc" where it is absent.
   */
  variant?: string;
  /** Most operations in a case, at least 1; 20 where it is absent. */
  maxLength?: number;
  /** Only these; all where it is absent. A case may then be empty. */
  only?: readonly OperationName[];
  /** Some cases are about two files: operations on the second say `file: 1`. Not if absent. */
  twoFiles?: boolean;
  /** Of a thousand cases, those with a power cut, 0 to 1000; 0 where it is absent. */
  powerCuts?: number;
  /**
   * Of a thousand cases, those that begin with a comb, which makes hundreds of extents at once, 0 to
   * 1000; 0 where it is absent. Only with `maxLength` of at least 8.
   */
  deepTrees?: number;
}

/**
 * Cases: sequences of operations for one file, as plain data. Operands are bytes; they may be out
 * of range for the file as it is then, so every part of a sequence is a sequence. Shrinking moves
 * operands of several operations together.
 *
 * @throws an error of the name UsageError where there is no such variant
 */
export function operations(options: CaseOptions = {}): fc.Arbitrary<Operation[]> {
  const {
    variant = "4k-delalloc",
    maxLength = 20,
    only,
    twoFiles = false,
    powerCuts = 0,
    deepTrees = 0,
  } = options;
  const cases = arbitrary({
    variant: variantNamed(variant),
    maxLength,
    everything: true,
    twoFiles,
    cutPerMille: powerCuts,
    deepPerMille: deepTrees,
  });
  if (only === undefined) return cases;
  const wanted: ReadonlySet<string> = new Set(only);
  return cases.map((drawn) => drawn.filter(({ op }) => wanted.has(op)));
}

/**
 * The sequence that `value` is, which may come from anywhere.
 *
 * @throws an error of the name UsageError where it is none: one line that says which field is wrong
 */
export const parseOperations = (value: unknown): Operation[] =>
  parsedBy(operationsSchema, value, (fault) => new UsageError(`no operations: ${fault}`));
