import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Divergence, DivergenceKind } from "../finding/divergence.ts";
import type { Operation } from "../operations/operation.ts";
import { shrinkCase } from "./shrink.ts";

const fsync: Operation = { op: "fsync" };
const lengths = fc.array(fc.constant(fsync), { maxLength: 8 });

/** A case of `length` operations that shows `kind`. */
const shows = (kind: DivergenceKind, length: number): Divergence => ({
  variant: "4k-delalloc",
  step: length - 1,
  operations: Array.from({ length }, () => fsync),
  kind,
  message: kind,
});

/**
 * What a case of six operations that shows the kind at 6 shrinks to, where one of `length` shows
 * `kinds[length]`.
 */
async function shrunk(kinds: Readonly<Record<number, DivergenceKind>>): Promise<string> {
  const found = shows(kinds[6]!, 6);
  const attempt = ({ length }: Operation[]): Promise<Divergence | undefined> => {
    const kind = kinds[length];
    return Promise.resolve(kind === undefined ? undefined : shows(kind, length));
  };
  const { kind, operations } = await shrinkCase(found.operations, found, lengths, attempt, 10_000);
  return `${kind} ${operations.length}`;
}

test.each([
  ["data that is lost does not become pages that are counted", { 6: "read", 3: "pages" }, "read 6"],
  ["a case gets shorter as long as it shows the same", { 6: "read", 3: "read" }, "read 3"],
  ["a worse thing on the way is what is followed", { 6: "pages", 3: "contents" }, "contents 3"],
  ["another kind that is no worse is another finding", { 6: "map", 3: "i_size" }, "map 6"],
] as const)("%s", async (_, kinds, least) => {
  expect(await shrunk(kinds)).toBe(least);
});
