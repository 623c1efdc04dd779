/**
 * `--report` of a command that needs no kernel: places, mistakes, ends before its time.
 */
import { existsSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { builtCommand, cli, unwrapped } from "../host/built-command.ts";
import { shellWord } from "../host/own-command.ts";
import { packageRoot } from "../host/package.ts";
import type { Outcome } from "../report/outcome.ts";
import { parseKtap } from "../report/ktap-parser.ts";
import { jsonFaults, junitFaults } from "../report/validators.ts";
import { headerV1, traceLines } from "../trace/samples.ts";
import { parseReport } from "./reports.ts";

const { folder, conform } = builtCommand("reports");
const place = (name: string): string => join(folder, name);

const seen = { ret: 0, errno: 0, size: 0, blocks512: 0, delalloc: 0, fiemap: [], es: [] };
const right = traceLines(headerV1, [[{ op: "fsync", ...seen }]]).join("\n");
const wrong = traceLines(headerV1, [[{ op: "fsync", ...seen, size: 7 }]]).join("\n");

/** A recording of that name; its path. */
function recording(name: string, text: string): string {
  writeFileSync(place(name), text);
  return name;
}

const check = (args: readonly string[], env: Record<string, string> = {}) =>
  conform(["trace", "check", ...args], { env: { GITHUB_STEP_SUMMARY: "", ...env } });

/** Checks a file, for somebody who does not read what is reported. */
function unread(file: string) {
  const words = `trace check ${file} --report ktap --report json:other.json`;
  const script = `node ${shellWord(cli)} ${words} | true; exit \${PIPESTATUS[0]}`;
  return execa("bash", ["-c", script], { cwd: folder, reject: false });
}

const outcomeIn = (text: string): Outcome => JSON.parse(text) as Outcome;

describe("what is asked for", () => {
  test.each([
    ["ktap", { form: "ktap", path: "-" }],
    ["json:-", { form: "json", path: "-" }],
    ["junit:a:b.xml", { form: "junit", path: "a:b.xml" }],
    ["github:", { form: "github", path: "" }],
  ])("%s", (text, asked) => {
    expect(parseReport(text)).toEqual(asked);
  });

  test.each(["tap", "", "constructor", "junit.xml", ":x"])("is no form: %s", (text) => {
    expect(() => parseReport(text)).toThrow(
      /there is no form of a report ".*".*; there are: ktap,/,
    );
  });
});

describe("a mistake ends it before anything is checked", () => {
  const mistakes: [string, string[], string][] = [
    [
      "two to standard output",
      ["ktap", "json"],
      "only one report can be written to standard output",
    ],
    ["the same file", ["ktap:same", "json:./same"], "only one report can be written to ./same"],
    ["a link to it", ["ktap:there", "json:link"], "only one report can be written to link"],
    ["no name", ["json:"], '"" cannot be written: it is no name of a file'],
    ["a folder", ["json:."], ". cannot be written: it is a directory"],
    ["no folder", ["ktap:ok", "json:no/r.json"], "no/r.json cannot be written: there is no such"],
    ["no form", ["xml:r.xml"], 'there is no form of a report "xml"'],
  ];

  test.each(mistakes)("%s", async (_, reports, message) => {
    const file = recording("right.jsonl", right);
    writeFileSync(place("there"), "mine");
    if (!existsSync(place("link"))) symlinkSync("there", place("link"));
    const { exitCode, stdout, stderr } = await check([
      file,
      ...reports.flatMap((one) => ["--report", one]),
    ]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 64, stdout: "" });
    expect(unwrapped(stderr)).toContain(message);
    expect(unwrapped(stderr).split("\n")).toHaveLength(1);
    expect(readFileSync(place("there"), "utf8")).toBe("mine");
    expect(existsSync(place("same")) || existsSync(place("ok"))).toBe(false);
  });

  test("a summary that cannot be written", async () => {
    const env = { GITHUB_STEP_SUMMARY: place("no/summary.md") };
    const file = recording("right.jsonl", right);
    const { exitCode, stderr } = await check([file, "--report", "github:notes"], env);
    expect(unwrapped(stderr)).toContain("no/summary.md cannot be written");
    expect(exitCode).toBe(64);
    // Whoever asks for no such form has nothing to do with it.
    expect((await check([file, "--report", "ktap:other"], env)).exitCode).toBe(0);
  });
});

describe("reports", () => {
  test("go to their files, one to standard output, and the text to standard error", async () => {
    const files = [recording("right.jsonl", right), recording("wrong.jsonl", wrong), "none.jsonl"];
    const env = { GITHUB_STEP_SUMMARY: place("summary.md") };
    writeFileSync(env.GITHUB_STEP_SUMMARY, "# of an earlier step\n");
    const reports = ["ktap:r.ktap", "github:r.github", "junit:r.xml", "json"];
    const asked = reports.flatMap((one) => ["--report", one]);
    const { exitCode, stdout, stderr } = await check([...files, ...asked], env);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^DIVERGES: 1 of 3 files/m);
    expect(jsonFaults(stdout, "outcome")).toEqual([]);
    const { verdict, command, subtests } = outcomeIn(stdout);
    expect({ verdict, command }).toEqual({ verdict: "diverges", command: "trace check" });
    expect(subtests.map(({ name, status }) => [name, status])).toEqual([
      ["right.jsonl", "pass"],
      ["wrong.jsonl", "fail"],
      ["none.jsonl", "not-run"],
    ]);
    expect(subtests[0]).toMatchObject({
      counts: { cases: 1, steps: 1, compared: 1 },
      kernel: { release: "6.18.44", series: "none" },
    });
    expect(subtests[1]!.findings).toMatchObject([{ confirmed: true, severity: "size or space" }]);
    expect(stderr).toContain(subtests[1]!.findings[0]!.report.split("\n")[0]);
    const [all] = parseKtap(readFileSync(place("r.ktap"), "utf8"));
    expect(all!.subtests.map(({ ok }) => ok)).toEqual([true, false, true]);
    expect(await junitFaults(readFileSync(place("r.xml"), "utf8"))).toEqual([]);
    expect(readFileSync(place("r.github"), "utf8")).toMatch(
      /^::error title=wrong.jsonl%3A i_size::[^\n]*\n::notice title=none.jsonl%3A not-run::[^\n]*\n$/,
    );
    const summary = readFileSync(env.GITHUB_STEP_SUMMARY, "utf8");
    expect(summary).toMatch(/^# of an earlier step\n### ext4-conform [^\n]*: diverges\n/);
  });

  test("of the contract have a finding for each promise, and the case that was saved", async () => {
    const name = "iomap-v2-as-posted.delalloc.4096.jsonl.br";
    const file = join(packageRoot, "properties", "traces", name);
    const { stdout, exitCode } = await check([
      file,
      "--contract",
      "--save",
      "s",
      "--report",
      "json",
    ]);
    expect(exitCode).toBe(1);
    expect(jsonFaults(stdout, "outcome")).toEqual([]);
    const [subtest] = outcomeIn(stdout).subtests;
    const [worst] = subtest!.findings;
    expect(subtest!.findings).toHaveLength(3);
    expect(worst!.divergence).toMatchObject({ kind: "contract", promise: expect.anything() });
    expect(existsSync(place(worst!.counterexample!))).toBe(true);
  });

  test("that cannot be written in the end keep no other from it, and are no success", async () => {
    const { exitCode, stderr } = await unread(recording("right.jsonl", right));
    // As a program that SIGPIPE ends: silently.
    expect(stderr).not.toContain("no report");
    expect(exitCode).toBe(141);
    expect(outcomeIn(readFileSync(place("other.json"), "utf8")).verdict).toBe("conforms");
    expect((await unread(recording("wrong.jsonl", wrong))).exitCode).toBe(1);
  });

  test("are written where a signal ends it, with what was known by then", async () => {
    const traces = join(packageRoot, "properties", "traces");
    const packed = readdirSync(traces).filter((name) => name.endsWith(".br"));
    const files = packed.map((name) => join(traces, name));
    const running = conform(["trace", "check", "--report", "json:cut.json", ...files]);
    await new Promise<void>((resolve) => {
      running.stdout?.on("data", (text: Buffer) => {
        if (/agrees|DIVERGES/.test(text.toString())) resolve();
      });
    });
    running.kill("SIGTERM");
    await running;
    const text = readFileSync(place("cut.json"), "utf8");
    expect(jsonFaults(text, "outcome")).toEqual([]);
    const { verdict, endedEarly, subtests } = outcomeIn(text);
    expect(verdict).toBe("incomplete");
    expect(endedEarly).toEqual({ by: "signal", message: "SIGTERM" });
    expect(subtests[0]!.status).toBe("pass");
    expect(subtests.at(-1)!.status).toBe("not-run");
  });
});
