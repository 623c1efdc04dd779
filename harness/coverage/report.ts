/**
 * What a run covered of the kernel: written into a folder, told in a few lines.
 */
import { join, relative } from "node:path";
import type { ObjectCounters } from "../subjects/gcov.ts";
import { mustBeWritable, writeOutput } from "../stored/output.ts";
import { writePages } from "./html.ts";
import { coverageOf } from "./lines.ts";
import type { FileCoverage, FunctionCoverage } from "./lines.ts";
import { hunksIn, patchCoverage } from "./patch-coverage.ts";
import type { PatchedFile } from "./patch-coverage.ts";
import { patchLines } from "./patch-lines.ts";
import type { PatchLines } from "./patch-lines.ts";
import { patchText, tableText, totalsText } from "./text.ts";

export interface CoverageOptions {
  /** Folder for the report. */
  coverage: string;
  /** A patch whose lines are asked for. */
  patch?: string | undefined;
}

/**
 * Before the run rather than after it. Throws UsageError where the folder cannot be written to, or
 * the patch is none.
 */
export function mustBeReportable({ coverage: folder, patch }: CoverageOptions): void {
  if (patch !== undefined) hunksIn(patch);
  mustBeWritable(folder, "the coverage");
}

/** The coverage of the patch's own lines alone. */
function within({ coverage, code }: PatchedFile): FileCoverage {
  const lines = new Map(code.map(({ number, count }) => [number, count]));
  const has = ({ first, last }: FunctionCoverage): boolean =>
    code.some(({ number }) => first <= number && number <= last);
  const functions = new Map([...coverage.functions].filter(([, span]) => has(span)));
  return { ...coverage, lines, functions };
}

/** What there is to say. */
export interface CoverageReport {
  /** The lines to print. */
  text: string;
  /** Absent where nobody asked for a patch. */
  patch?: PatchLines;
}

/** Write the report of what ran in these kernels. Throws EnvironmentError, UsageError. */
export async function reportCoverage(
  kernels: readonly (readonly ObjectCounters[])[],
  { coverage: folder, patch: file }: CoverageOptions,
  colour: boolean,
): Promise<CoverageReport> {
  const files = await coverageOf(kernels);
  writePages(folder, files);
  const told = [totalsText(files)];
  const written = [tableText(files)];
  const patch = file === undefined ? undefined : patchCoverage(file, files);
  if (file !== undefined && patch !== undefined) {
    writePages(join(folder, "patch"), patch.files.map(within));
    told.push(patchText(file, patch, colour));
    written.push(patchText(file, patch, false));
  }
  writeOutput(join(folder, "coverage.txt"), written.join("\n"));
  const page = relative("", join(folder, file === undefined ? "" : "patch", "index.html"));
  return {
    text: `${told.join("\n")}\ncoverage: ${page}, ${relative("", join(folder, "coverage.txt"))}\n`,
    ...(file !== undefined && patch !== undefined && { patch: patchLines(file, patch) }),
  };
}
