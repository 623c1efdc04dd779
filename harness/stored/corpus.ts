/**
 * The corpus: every case that ever told something, run before anything is generated. Its cases must
 * conform.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { readCounterexample } from "./counterexample.ts";
import type { Operation } from "../operations/operation.ts";

/**
 * All cases of a folder, in the order of the names of their files. Throws UsageError where one
 * cannot be read.
 */
export function readCorpus(directory: string): { name: string; operations: Operation[] }[] {
  const names = readdirSync(directory).filter((name) => name.endsWith(".json"));
  return names.toSorted().map((name) => {
    const { operations } = readCounterexample(join(directory, name));
    return { name, operations };
  });
}
