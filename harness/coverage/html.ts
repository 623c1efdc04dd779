/**
 * Coverage for a browser, and for other programs: HTML and lcov's tracefile, by Istanbul's
 * reporters, which tools for JavaScript write theirs with. What they call a statement is a line
 * here.
 */
import { readFileSync } from "node:fs";
import coverageLibrary from "istanbul-lib-coverage";
import type { CoverageMap, FileCoverageData } from "istanbul-lib-coverage";
import reportLibrary from "istanbul-lib-report";
import reports from "istanbul-reports";
import type { FileCoverage } from "./lines.ts";

const sourceOf = (path: string): string => readFileSync(path, "utf8");

function asIstanbul({ path, lines, functions }: FileCoverage): FileCoverageData {
  const texts = sourceOf(path).split("\n");
  const range = (first: number, last: number) => ({
    start: { line: first, column: 0 },
    end: { line: last, column: texts[last - 1]?.length ?? 0 },
  });
  const numbers = [...lines.keys()].toSorted((a, b) => a - b);
  const inside = [...functions];
  return {
    path,
    statementMap: Object.fromEntries(numbers.map((number) => [number, range(number, number)])),
    s: Object.fromEntries(lines),
    fnMap: Object.fromEntries(
      inside.map(([name, { first, last }], index) => [
        index,
        { name, line: first, decl: range(first, first), loc: range(first, last) },
      ]),
    ),
    f: Object.fromEntries(inside.map(([, { calls }], index) => [index, calls])),
    branchMap: {},
    b: {},
  };
}

/** Write index.html, a page for each file, and lcov.info into a folder. */
export function writePages(folder: string, files: readonly FileCoverage[]): void {
  const coverageMap: CoverageMap = coverageLibrary.createCoverageMap();
  for (const file of files) coverageMap.addFileCoverage(asIstanbul(file));
  const context = reportLibrary.createContext({
    dir: folder,
    coverageMap,
    sourceFinder: sourceOf,
    defaultSummarizer: "pkg",
  });
  reports.create("html").execute(context);
  reports.create("lcovonly", { file: "lcov.info" }).execute(context);
}
