/**
 * JUnit's XML: what continuous integration reads. A suite for each subtest, since each has a file
 * system of its own, which its properties describe by the names that those of xfstests have
 * (common/report). junit.xsd beside this file is what it keeps to.
 */
import Builder from "fast-xml-builder";
import { printable, safeOutput } from "../text/terminal.ts";
import { NO_SUBTEST, countsText, reasonOf, titleOf } from "./outcome.ts";
import type { EarlyEnd, Outcome, Subtest } from "./outcome.ts";

/** uname -m by what Node.js calls it, where the two differ. */
const MACHINES: Readonly<Record<string, string>> = {
  x64: "x86_64",
  ia32: "i686",
  arm64: "aarch64",
  arm: "armv7l",
  ppc64: "ppc64le",
  loong64: "loongarch64",
};

/** Nothing gets through that XML has no way to say, nor anything that a terminal would obey. */
const builder = new Builder({
  format: true,
  ignoreAttributes: false,
  suppressEmptyNode: true,
  tagValueProcessor: (_, value) => safeOutput(String(value), false, false),
  attributeValueProcessor: (_, value) => printable(String(value)),
});

type Element = Record<string, unknown>;

/** Seconds as a decimal. */
const time = (seconds: number): string => seconds.toFixed(3);

function properties(outcome: Outcome, subtest: Subtest): Element {
  const { release, machine = "", series } = subtest.kernel ?? outcome.kernel ?? {};
  const { path, mkfsOptions, mountOptions } = subtest;
  const all: Record<string, string | undefined> = {
    KERNEL: release,
    ARCH: MACHINES[machine] ?? machine,
    FSTYP: "ext4",
    SECTION: subtest.name,
    MKFS_OPTIONS: mkfsOptions,
    MOUNT_OPTIONS: mountOptions === undefined ? undefined : `-o ${mountOptions}`,
    BASELINE: outcome.baseline?.release,
    SERIES: series,
    WRITE_PATH: path,
    SEED: outcome.seed?.toString(),
    TOOL: `ext4-conform ${outcome.tool}`,
  };
  const known = Object.entries(all).filter(([, value]) => value !== undefined && value !== "");
  return { property: known.map(([name, value]) => ({ "@_name": name, "@_value": value })) };
}

/** What a test case came to, as the element that says so; nothing where it passed. */
function told(subtest: Subtest): Element {
  const { status, findings } = subtest;
  if (status === "pass") return {};
  const message = { "@_message": reasonOf(subtest) ?? status };
  if (status === "incomplete" || status === "not-run") return { skipped: message };
  const text = { ...message, "#text": findings.map(({ report }) => report).join("\n") };
  if (status === "not-reproduced") return { error: { "@_type": status, ...text } };
  return { failure: { "@_type": findings[0]?.divergence.kind ?? status, ...text } };
}

/** What ended the command: a report that is short does not say so by itself. */
function toldOfEnd({ by, message }: EarlyEnd): Element {
  const why = { "@_message": `ended early: ${message}` };
  return by === "machine" ? { skipped: why } : { error: { "@_type": by, ...why } };
}

function suite(outcome: Outcome, subtest: Subtest, is: Element): Element {
  const { name, seconds } = subtest;
  const one = (element: string): number => (element in is ? 1 : 0);
  return {
    "@_name": name,
    "@_package": "ext4-conform",
    // In UTC: the form has no place for a time zone.
    "@_timestamp": outcome.started.slice(0, 19),
    "@_hostname": outcome.host,
    "@_tests": 1,
    "@_failures": one("failure"),
    "@_errors": one("error"),
    "@_skipped": one("skipped"),
    "@_time": time(seconds),
    properties: properties(outcome, subtest),
    testcase: {
      "@_name": name,
      "@_classname": `ext4-conform.${outcome.command}`,
      "@_time": time(seconds),
      ...is,
    },
    "system-out": [titleOf(outcome), countsText(subtest)].join("\n").trimEnd(),
    "system-err": "",
  };
}

/** The outcome as JUnit's XML. */
export function junit(outcome: Outcome): string {
  const { subtests, endedEarly, command, seconds } = outcome;
  const suites = subtests.map((subtest) => suite(outcome, subtest, told(subtest)));
  if (endedEarly !== undefined) {
    const whole = { ...NO_SUBTEST, name: `all of ${command}`, seconds };
    suites.push(suite(outcome, whole, toldOfEnd(endedEarly)));
  }
  return builder.build({
    "?xml": { "@_version": "1.0", "@_encoding": "UTF-8" },
    testsuites: { testsuite: suites.map((one, id) => ({ "@_id": id, ...one })) },
  });
}
