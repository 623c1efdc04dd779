/**
 * `ext4-conform/trace`: recordings of what kernels did, read, written and held against the model.
 * harness/trace/FORMAT.md has what their lines mean.
 */
import { deviationsNamed, fileReport } from "../commands/trace-check.ts";
import { storedObservation } from "../case/stored-observation.ts";
import type { Divergence } from "../finding/divergence.ts";
import { checkFile } from "../trace/check.ts";
import type { FileResult } from "../trace/check.ts";
import type { TraceEnd, TraceHeader, TraceHeaderV3 } from "../trace/format.ts";
import { DEFAULT_LIMITS } from "../trace/limits.ts";
import type { TraceCase } from "../trace/read.ts";
import { headerToWrite, TraceWriter } from "../trace/write.ts";

export { readTrace } from "../trace/read.ts";
export type { Trace, TraceCase } from "../trace/read.ts";
export type { TraceHeader, TraceHeaderV3 } from "../trace/format.ts";
export type { TraceLimits } from "../trace/limits.ts";
export type { Divergence } from "../finding/divergence.ts";
export type { Observation } from "../case/observation.ts";
export type { Operation } from "../operations/operation.ts";

export interface CheckOptions {
  /**
   * Which known deviations the model may follow: those that turn out to be needed, as few as it
   * takes ("needed", also where it is absent), "none", or the ones with these ids.
   */
  deviations?: "needed" | "none" | readonly string[];
  /** Number of the only case that is checked. */
  only?: number;
  /** Called after each case, with what was checked so far. */
  onCase?: (done: CheckedCounts) => void;
}

export interface CheckedCounts {
  cases: number;
  /** In these cases. */
  steps: number;
  /** Those of them that were compared: a case ends with its first divergence. */
  compared: number;
}

/** What a recording came to. */
export interface Checked extends CheckedCounts {
  header: TraceHeader;
  /** What of the kernel had to be guessed; absent where nothing had. */
  guessed?: string;
  /** In how many cases each deviation had a part that was followed, by its id. */
  deviations: Readonly<Record<string, number>>;
  /** Cases in which model and recording differ: the recording agrees where it is 0. */
  diverging: number;
  /** The first of them, with what `ext4-conform trace check` prints of it. */
  first?: { number: number; line: number; divergence: Divergence; report: string };
}

function checkedOf(result: FileResult, strict: boolean): Checked {
  const { header, guessed, parts, cases, steps, compared, diverging, first } = result;
  return {
    header,
    ...(guessed !== undefined && { guessed }),
    deviations: Object.fromEntries(parts),
    cases,
    steps,
    compared,
    diverging,
    ...(first && { first: { ...first, report: fileReport(result, strict, false) } }),
  };
}

/**
 * Hold the model against a recording; a case ends with its first divergence. No kernel is needed.
 *
 * @throws an error of the name UsageError, one line, where the file is no recording, holds nothing
 *   to compare, or there is no such deviation
 */
export async function checkTrace(path: string, options: CheckOptions = {}): Promise<Checked> {
  const { deviations = "needed", only, onCase } = options;
  const allowed = typeof deviations === "string" ? deviations : deviationsNamed(deviations.join());
  const limits = DEFAULT_LIMITS;
  const result = await checkFile(path, { allowed, only, limits, ...(onCase && { onCase }) });
  return checkedOf(result, allowed === "none");
}

/** A case to be written: as it is read, but for where it is. */
export type CaseToWrite = Pick<TraceCase, "freeBlocks" | "operations" | "observations">;

/**
 * Write a recording, of version 3, packed where its name ends in .br or .gz. Until all of it is
 * there the file has another name, and whatever goes wrong leaves none. How much it holds.
 *
 * @param replace what is there is replaced
 * @throws an error of the name UsageError where the file is there or cannot be written, or where
 *   reading it would refuse the header
 */
export async function writeTrace(
  path: string,
  header: TraceHeaderV3,
  cases: Iterable<CaseToWrite> | AsyncIterable<CaseToWrite>,
  { replace = false }: { replace?: boolean } = {},
): Promise<TraceEnd> {
  const writer = new TraceWriter(path, replace);
  const end: TraceEnd = { cases: 0, steps: 0 };
  try {
    await writer.write({ header: headerToWrite(header) });
    for await (const { freeBlocks, operations, observations } of cases) {
      await writer.write({ case: end.cases, ...(freeBlocks !== undefined && { freeBlocks }) });
      for (const [index, seen] of observations.entries()) {
        await writer.write({ operation: operations[index], seen: storedObservation(seen) });
      }
      end.cases += 1;
      end.steps += observations.length;
    }
    await writer.write({ end });
    await writer.end();
    return end;
  } finally {
    await writer.close();
  }
}
