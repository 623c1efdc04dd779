/**
 * KTAP, version 1: the form in which the kernel's own tests report.
 *
 * Source: Documentation/dev-tools/ktap.rst; what its parser does beyond that, and who reads logs of
 *         others must heed: tools/testing/kunit/kunit_parser.py.
 */
import { printable } from "../text/terminal.ts";
import { countsText, reasonOf, titleOf } from "./outcome.ts";
import type { Outcome, Subtest } from "./outcome.ts";

/** Words at which the kernel's parser takes a log to have ended, wherever in a line they are. */
const ENDS_LOG = /List of all partitions:|Kernel panic - not syncing: VFS:|reboot: System halted/g;

/** In a line, without what a parser would obey. */
const quiet = (text: string): string =>
  printable(text).replaceAll(ENDS_LOG, (words) => words.replaceAll(":", ";"));

/** A description, or what follows one: "#" begins a directive, wherever it is. */
const plain = (text: string): string => quiet(text).replaceAll("#", "?").trim();

/** Diagnostic lines. */
function diagnostics(text: string): string[] {
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line) => `# ${quiet(line)}`);
}

/** A line that says how one test ended. `about`: a directive and what is to be said. */
function result(ok: boolean, number: number, name: string, about: string | undefined): string {
  const behind = about === undefined || about === "" ? "" : ` # ${plain(about)}`;
  return `${ok ? "ok" : "not ok"} ${number} ${plain(name)}${behind}`;
}

function aboutSubtest(subtest: Subtest): string {
  const { status } = subtest;
  const reason = reasonOf(subtest);
  if (status === "pass") return countsText(subtest);
  if (status === "fail" || status === "not-reproduced") return reason ?? "";
  return `SKIP ${[reason, countsText(subtest)].filter(Boolean).join("; ")}`;
}

const isOk = ({ status }: Subtest): boolean => status !== "fail" && status !== "not-reproduced";

function subtestLines(subtest: Subtest, index: number): string[] {
  const { name, kernel, path, mkfsOptions, mountOptions, promised, findings } = subtest;
  const facts = [
    ...(kernel === undefined ? [] : [`kernel ${kernel.release}`]),
    ...(path === undefined ? [] : [`path ${path}`]),
    ...(mkfsOptions === undefined ? [] : [`mkfs.ext4 ${mkfsOptions}`]),
    ...(mountOptions === undefined ? [] : [`mounted with ${mountOptions}`]),
    ...(promised === undefined ? [] : [`judged by the contract alone, ${promised}`]),
  ];
  return [
    ...(facts.length === 0 ? [] : diagnostics(printable(`${name}: ${facts.join("; ")}`))),
    ...findings.flatMap(({ report }) => diagnostics(report)),
    result(isOk(subtest), index + 1, name, aboutSubtest(subtest)),
  ];
}

/** What is said of the command as a whole, behind its name. */
function aboutAll({ endedEarly }: Outcome): string | undefined {
  if (endedEarly === undefined) return undefined;
  return `${endedEarly.by === "machine" ? "SKIP" : "ERROR"} ${endedEarly.message}`;
}

/** The outcome as one test with a subtest each; lines ending in "\n". */
export function ktap(outcome: Outcome): string {
  const { subtests, endedEarly, command } = outcome;
  const nested =
    subtests.length === 0
      ? []
      : ["KTAP version 1", `1..${subtests.length}`, ...subtests.flatMap(subtestLines)];
  const cutOff = endedEarly !== undefined && endedEarly.by !== "machine";
  const all = result(
    subtests.every(isOk) && !cutOff,
    1,
    `ext4-conform ${command}`,
    aboutAll(outcome),
  );
  return [
    "KTAP version 1",
    "1..1",
    ...nested.map((line) => `  ${line}`),
    ...diagnostics(titleOf(outcome)),
    all,
    "",
  ].join("\n");
}
