/**
 * Every way in which the writes of a case can end short, as cases: each write is cut at every
 * boundary of a block in its range, and a byte before and after it, while the others stay as they
 * are.
 *
 * A page, and a folio of whatever order, begins where a block does, so that their boundaries are
 * among those.
 */
import { generationOf } from "../operations/generation.ts";
import { fileOf, inFile } from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";

/** Bytes of a write of [pos, pos + len) after which it may be cut, ascending: 0 to len - 1. */
export function cutsOf(pos: number, len: number, blockSize: number): number[] {
  const cuts = new Set([0, 1, len - 1]);
  const first = Math.ceil(pos / blockSize) * blockSize;
  for (let at = first; at <= pos + len; at += blockSize) {
    for (const cut of [at - 1, at, at + 1]) cuts.add(cut - pos);
  }
  return [...cuts].filter((cut) => cut >= 0 && cut < len).toSorted((a, b) => a - b);
}

/**
 * The cases: all cuts of the first write, then all of the next. Each ends with an fsync, which
 * shows what a cut left behind.
 */
export function faultPoints(operations: readonly Operation[], blockSize: number): Operation[][] {
  return operations.flatMap((operation, index) => {
    const { cutAt } = generationOf(operation);
    if (cutAt === undefined || !("len" in operation)) return [];
    return cutsOf(operation.pos, operation.len, blockSize).map((cut) => [
      ...operations.with(index, cutAt(operation, cut)),
      inFile({ op: "fsync" } as const, fileOf(operation)),
    ]);
  });
}
