/**
 * Page: what a report in HTML shows, as plain data.
 */
import type { PatchLines } from "../../coverage/patch-lines.ts";
import type { Severity } from "../../finding/severity.ts";
import type { Timeline } from "./timeline.ts";

/** A case in one of the forms for those who do not have this tool. */
export interface Form {
  name: string;
  /** "case.c" */
  file: string;
  /** Absent where it has no words for the case. */
  text?: string;
  /** Why not. */
  refusal?: string;
}

export interface Operations {
  title: string;
  lines: { text: string; blocks: string }[];
}

export interface FindingPage {
  severity: Severity;
  title: string;
  message: string;
  /** Variant, path, how often it was met: a few words each. */
  facts: string[];
  /** In the list of all. */
  variant: string;
  confirmed: boolean;
  /** The file by which somebody accepted it. */
  accepted?: string;
  /** Known deviations that explain it. */
  named: string[];
  /** Why it is wrong, in sentences; and where in both sources a reader begins. */
  why: string[];
  where?: { kernel: string; model?: string };
  /** Cases before it on the same file system; the first ones may be left out. */
  earlier: Operations[];
  operations: Operations;
  /** Index of the operation after which it showed. */
  step: number;
  timeline: Timeline;
  evidence: string[];
  /** Trace events that the failing call passed. */
  passed: readonly string[];
  forms: Form[];
  /** What shows it again. */
  command: string;
}

export interface VariantPage {
  name: string;
  path: string;
  status: "pass" | "fail" | "not-reproduced" | "incomplete" | "not-run";
  /** Why it has that status, and who judged. */
  notes: string[];
  /** Numbers in the order of `Page.counted`; undefined where there is none. */
  counts: (number | undefined)[];
  seconds: number;
  mountOptions: string;
}

/** How often something was met, by kinds of operations down and groups of columns across. */
export interface MetTable {
  groups: readonly { title: string; columns: readonly string[] }[];
  /** Counts in the order of the columns. */
  rows: { kind: string; counts: (number | undefined)[] }[];
}

export interface Page {
  /** "ext4-conform 0.1.0 run" */
  tool: string;
  verdict: "conforms" | "diverges" | "not-reproduced" | "incomplete";
  /** What follows the verdict in its line. */
  sentence: string;
  /** Name and value: the kernel, the seed. */
  facts: (readonly [name: string, value: string])[];
  findings: FindingPage[];
  /** Names of what is counted of a variant. */
  counted: string[];
  variants: VariantPage[];
  /** Absent where nobody counted. */
  met?: MetTable;
  patch?: PatchLines;
  /** The worst first; of one that is none of ours there is no more than its name. */
  deviations: { id: string; cases: number; claim: string; severity?: Severity }[];
}
