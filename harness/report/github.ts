/**
 * GitHub Actions: annotations, which are workflow commands on standard output, and the summary of a
 * step, which is Markdown.
 *
 * Source: docs.github.com, "Workflow commands for GitHub Actions": a command is a line of its own;
 *         of what follows it "%", carriage return and newline are escaped, of a property ":" and ","
 *         too; a summary has 1 MiB at most, and of each kind of annotation a step shows ten.
 */
import { grouped } from "../text/numbers.ts";
import { printable } from "../text/terminal.ts";
import { countsText, reasonOf, titleOf } from "./outcome.ts";
import type { Finding, Outcome, Subtest } from "./outcome.ts";

/** Characters of the findings that a summary holds: with four bytes each they fit. */
const MOST_CHARACTERS = 200_000;

const escaped = (text: string): string =>
  text.split("\n").map(printable).join("\n").replaceAll("%", "%25").replaceAll("\n", "%0A");

const property = (text: string): string =>
  escaped(text).replaceAll(":", "%3A").replaceAll(",", "%2C");

function annotation(level: "error" | "warning" | "notice", title: string, text: string): string {
  return `::${level} title=${property(title)}::${escaped(text)}\n`;
}

function ofFinding({ name, status }: Subtest, finding: Finding): string {
  const { severity, divergence, confirmed, command, named, accepted } = finding;
  const again = confirmed || status === "fail" ? "" : "\nA fresh image did not show it again.";
  const known = named.length === 0 ? "" : `\nKnown as ${named.join(", ")}.`;
  const text = `${severity}: ${divergence.message}${known}${again}\n${command}`;
  if (accepted !== undefined) return annotation("notice", `${name}: accepted`, text);
  return annotation(status === "fail" ? "error" : "warning", `${name}: ${divergence.kind}`, text);
}

function ofSubtest(subtest: Subtest): string[] {
  const { name, status, reason, findings } = subtest;
  if (findings.length > 0) return findings.map((finding) => ofFinding(subtest, finding));
  if (status === "pass") return [];
  const level = status === "fail" ? "error" : "notice";
  return [annotation(level, `${name}: ${status}`, reason ?? status)];
}

/** The annotations, a line each. */
export function annotations(outcome: Outcome): string {
  const { endedEarly, subtests } = outcome;
  const ended =
    endedEarly === undefined
      ? []
      : [annotation("warning", `ext4-conform ${outcome.command} ended early`, endedEarly.message)];
  return [...ended, ...subtests.flatMap(ofSubtest)].join("");
}

/** A cell of a table: none of Markdown's signs means anything in it. */
const cell = (text: string): string =>
  printable(text).replaceAll(/[\\`*_{}[\]<>()#+!|~&@:]/g, String.raw`\$&`);

function row(subtest: Subtest): string {
  const { name, status, path = "", seconds } = subtest;
  const why = status === "pass" ? countsText(subtest) : (reasonOf(subtest) ?? "");
  const cells = [name, status, path, grouped(seconds), why].map(cell);
  return `| ${cells.join(" | ")} |`;
}

/** Text as it is, in a fence that is longer than any within it. */
function fenced(text: string): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}text\n${text.split("\n").map(printable).join("\n").trimEnd()}\n${fence}\n`;
}

/** The reports, the worst of each subtest first, as many as there is room for. */
function reports(subtests: readonly Subtest[]): string {
  let left = MOST_CHARACTERS;
  const shown = subtests.flatMap(({ findings }) => findings);
  const kept = shown.filter(({ report }) => (left -= report.length) >= 0);
  const more = shown.length - kept.length;
  const rest = more === 0 ? "" : `\n${grouped(more)} more, for which there is no room here\n`;
  return `${kept.map(({ report }) => `\n${fenced(report)}`).join("")}${rest}`;
}

/** The summary of the step, as Markdown. */
export function summary(outcome: Outcome): string {
  const { verdict, endedEarly, subtests } = outcome;
  const ended = endedEarly === undefined ? "" : `\nEnded early: ${cell(endedEarly.message)}\n`;
  const table = [
    "| | | path | seconds | |",
    "| --- | --- | --- | ---: | --- |",
    ...subtests.map(row),
    "",
  ].join("\n");
  return `### ${cell(titleOf(outcome))}: ${verdict}\n${ended}\n${table}${reports(subtests)}\n`;
}
