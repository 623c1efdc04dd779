/**
 * Which of a patch's added lines ran.
 */
import { readFileSync } from "node:fs";
import { UsageError } from "../case/failure.ts";
import type { FileCoverage } from "./lines.ts";
import { hunksOf, placeHunk } from "./patch.ts";
import type { AddedLine, Hunk } from "./patch.ts";

/** An added line that holds code, in a function or outside of one. */
export interface CodeLine {
  number: number;
  text: string;
  /** How often it ran. */
  count: number;
}

export interface PatchedFile {
  /** All of it. */
  coverage: FileCoverage;
  /** In the order of the file. */
  code: CodeLine[];
}

export interface PatchCoverage {
  /** Lines that it adds, whatever they hold. */
  added: number;
  /** Those that hold code, by file; those of which none does are left out. */
  files: PatchedFile[];
  /** Added lines that are not in the source that the kernel was built from. */
  absent: AddedLine[];
  /**
   * Files with code in them of which nothing is known, since they are no part of what is measured
   * or were not built.
   */
  unmeasured: string[];
}

/** The hunks in a file. Throws UsageError where it cannot be read or is no patch. */
export function hunksIn(patch: string): Hunk[] {
  let text: string;
  try {
    text = readFileSync(patch, "utf8");
  } catch (error) {
    throw new UsageError(`${patch} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
  const hunks = hunksOf(text);
  if (hunks.length === 0) throw new UsageError(`${patch} is no patch: there is no hunk in it`);
  return hunks;
}

/** Which of its lines ran. Throws UsageError where the file cannot be read or is no patch. */
export function patchCoverage(patch: string, files: readonly FileCoverage[]): PatchCoverage {
  const hunks = hunksIn(patch);
  const names = [...new Set(hunks.map(({ file }) => file))];
  const result: PatchCoverage = { added: 0, files: [], absent: [], unmeasured: [] };
  for (const name of names) {
    const here = hunks.filter(({ file }) => file === name);
    const adds = here.flatMap(({ lines }) => lines.filter(({ added }) => added)).length;
    result.added += adds;
    const coverage = files.find((file) => file.name === name);
    if (coverage === undefined) {
      if (adds > 0) result.unmeasured.push(name);
      continue;
    }
    const source = readFileSync(coverage.path, "utf8").split("\n");
    const placed = here.flatMap((hunk) => placeHunk(hunk, source));
    result.absent.push(...placed.filter(({ number }) => number === undefined));
    const code = codeOf(placed, coverage);
    if (code.length > 0) result.files.push({ coverage, code });
  }
  return result;
}

/** Two patches of a mailbox may add the same line: it counts once. */
function codeOf(placed: readonly AddedLine[], { lines }: FileCoverage): CodeLine[] {
  const byNumber = new Map<number, CodeLine>();
  for (const { number, text } of placed) {
    const count = number === undefined ? undefined : lines.get(number);
    if (number === undefined || count === undefined) continue;
    byNumber.set(number, { number, text, count });
  }
  return [...byNumber.values()].toSorted((a, b) => a.number - b.number);
}
