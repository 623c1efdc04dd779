/**
 * Cost: what makes one counterexample simpler than another. The shrinker only ever offers cases
 * that cost less than what it has, so it ends whatever its rules are.
 */
import { failNthOf, fileOf, isInjected } from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";
import { generationOf } from "../operations/generation.ts";

/** Compared from first to last. */
export interface Cost {
  /** Operations. */
  readonly count: number;
  /** How much a reader has to know, summed over the operations. */
  readonly rank: number;
  /** How odd the numbers look, summed over all operands. */
  readonly roughness: number;
  /**
   * All operands added up, bytes; lengths count twice, so that one block further out beats two at
   * the start.
   */
  readonly magnitude: number;
  /** Operations that begin before the one that comes before them. */
  readonly disorder: number;
}

/**
 * 1 for whole blocks and 0, 2 for sectors, 3 for a byte next to a block boundary, 4 for every other
 * number.
 */
function roughness(n: number, unit: number): number {
  const rest = n % unit;
  if (rest === 0) return 1;
  if (rest % 512 === 0) return 2;
  return rest === 1 || rest === unit - 1 ? 3 : 4;
}

export function costOf(operations: readonly Operation[], unit: number): Cost {
  let rank = 0;
  let rough = 0;
  let magnitude = 0;
  let disorder = 0;
  let last = 0;
  const add = (n: number): void => {
    rough += roughness(n, unit);
    magnitude += n;
  };
  for (const operation of operations) {
    const { rank: rankOf, numbers } = generationOf(operation);
    rank += rankOf(operation);
    // Whoever reads it must know what had room before, or which allocation it is.
    if (isInjected(operation)) rank += 1;
    // And keep two files apart.
    if (fileOf(operation) === 1) rank += 1;
    magnitude += failNthOf(operation) ?? 0;
    if ("pos" in operation) {
      add(operation.pos);
      add(operation.len);
      magnitude += operation.len;
      if (operation.pos < last) disorder += 1;
      last = operation.pos;
    }
    if ("readable" in operation && operation.readable < operation.len) add(operation.readable);
    for (const number of numbers?.(operation) ?? []) add(number);
  }
  return { count: operations.length, rank, roughness: rough, magnitude, disorder };
}

/** True where a case of cost `a` is simpler than one of cost `b`. */
export function cheaper(a: Cost, b: Cost): boolean {
  if (a.count !== b.count) return a.count < b.count;
  if (a.rank !== b.rank) return a.rank < b.rank;
  if (a.roughness !== b.roughness) return a.roughness < b.roughness;
  if (a.magnitude !== b.magnitude) return a.magnitude < b.magnitude;
  return a.disorder < b.disorder;
}
