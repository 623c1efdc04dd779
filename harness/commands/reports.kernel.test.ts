/**
 * `--report` of the commands that ask a kernel: all forms at once, each as its readers take it.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { asNobody, builtCommand, cli, hiddenFromNobody, unwrapped } from "../host/built-command.ts";
import { shellWord } from "../host/own-command.ts";
import { parseKtap } from "../report/ktap-parser.ts";
import type { ParsedTest } from "../report/ktap-parser.ts";
import type { Outcome, Subtest } from "../report/outcome.ts";
import { jsonFaults, junitFaults } from "../report/validators.ts";
import { machineLacks } from "../system/machine.ts";

const lacks = machineLacks()?.message;
if (lacks !== undefined) console.warn(`SKIP: ${lacks}`);

const { folder, conform } = builtCommand("kernel-reports");
const read = (name: string): string => readFileSync(join(folder, name), "utf8");

/** What a command reported, in all forms; each was held against what its readers take. */
interface Reported {
  exitCode: number | undefined;
  stderr: string;
  outcome: Outcome;
  ktap: ParsedTest;
  xml: string;
  annotations: string;
  summary: string;
}

const FORMS = ["ktap:r.ktap", "junit:r.xml", "json:r.json", "github"];

async function reported(args: readonly string[]): Promise<Reported> {
  const summary = `${args[0]}-${args.length}.md`;
  const asked = FORMS.flatMap((form) => ["--report", form]);
  const env = { GITHUB_STEP_SUMMARY: join(folder, summary) };
  const { exitCode, stdout, stderr } = await conform([...args, ...asked], { env });
  expect(jsonFaults(read("r.json"), "outcome")).toEqual([]);
  const xml = read("r.xml");
  expect(await junitFaults(xml)).toEqual([]);
  const [ktap, ...others] = parseKtap(read("r.ktap"));
  expect(others).toEqual([]);
  expect(`${stdout}\n`).toMatch(/^(?:::(?:error|warning|notice) title=[^:\n]+::[^\n]+\n|\n)*$/);
  const outcome = JSON.parse(read("r.json")) as Outcome;
  return {
    exitCode,
    stderr,
    outcome,
    ktap: ktap!,
    xml,
    annotations: stdout,
    summary: read(summary),
  };
}

const statuses = ({ subtests }: Outcome): Subtest["status"][] =>
  subtests.map(({ status }) => status);

describe.skipIf(lacks !== undefined)("reports of a kernel", () => {
  const variants = ["--variant", "4k-nodelalloc,4k-full"];

  test("of a run that conforms", async () => {
    const args = ["run", ...variants, "--cases", "20", "--seed", "1"];
    const { exitCode, stderr, outcome, ktap, xml, annotations, summary } = await reported(args);
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/^CONFORMS: no unnamed divergence in/m);
    expect(outcome).toMatchObject({ verdict: "conforms", seed: 1, command: "run" });
    const [first, full] = outcome.subtests;
    expect(first).toMatchObject({ name: "4k-nodelalloc", status: "pass", path: "buffer_head" });
    expect(first!.mkfsOptions).toMatch(/^-b 4096 -E /);
    expect(first!.mountOptions).toContain("nodelalloc");
    expect(first!.counts.cases).toBeGreaterThanOrEqual(20);
    expect(full!.promised).toMatch(/space runs out/);
    expect(ktap.subtests.map(({ name, ok }) => [name, ok])).toEqual([
      ["4k-nodelalloc", true],
      ["4k-full", true],
    ]);
    const release = outcome.kernel!.release;
    expect(xml).toContain(`<property name="KERNEL" value="${release}"/>`);
    expect(xml).toMatch(/<property name="MOUNT_OPTIONS" value="-o rw,[^"]*nodelalloc[^"]*"\/>/);
    expect(annotations).toBe("");
    expect(summary).toMatch(/^### ext4-conform .*: conforms\n/);
  });

  test("of a run with a finding, of its replay, and of a comparison with itself", async () => {
    const strict = ["--strict", "--variant", "4k-delalloc", "--cases", "100", "--seed", "7"];
    const ran = await reported(["run", ...strict]);
    expect(ran.exitCode).toBe(1);
    expect([ran.outcome.verdict, ...statuses(ran.outcome)]).toEqual(["diverges", "fail"]);
    const [finding] = ran.outcome.subtests[0]!.findings;
    expect(finding).toMatchObject({ confirmed: true, variant: "4k-delalloc" });
    expect(existsSync(join(folder, finding!.counterexample!))).toBe(true);
    const { message, kind } = finding!.divergence;
    expect(ran.ktap.subtests[0]!.ok).toBe(false);
    expect(ran.ktap.subtests[0]!.diagnostics.join("\n")).toContain(message);
    expect(ran.xml).toContain(`<failure type="${kind}" message="${finding!.severity}: ${message}`);
    expect(ran.annotations).toContain(`::error title=4k-delalloc%3A ${kind}::`);
    expect(ran.summary).toContain(message);
    for (const line of finding!.report.split("\n")) expect(ran.stderr).toContain(line);

    const again = await reported(["replay", "--strict", finding!.counterexample!]);
    expect(again.exitCode).toBe(1);
    expect(again.outcome.subtests).toMatchObject([
      { name: finding!.counterexample!, status: "fail", findings: [{ divergence: { kind } }] },
    ]);
    const allowed = await reported(["replay", finding!.counterexample!]);
    expect([allowed.exitCode, ...statuses(allowed.outcome)]).toEqual([0, "pass"]);
    expect(Object.keys(allowed.outcome.subtests[0]!.deviations)).not.toEqual([]);

    const both = ["--baseline", "host", "--candidate", "host"];
    const compared = await reported(["compare", ...both, ...strict]);
    // What both do wrong is not new.
    expect([compared.exitCode, ...statuses(compared.outcome)]).toEqual([0, "pass"]);
    expect(compared.outcome.baseline).toEqual(compared.outcome.kernel);
  });

  test("of an exploration", async () => {
    const args = ["explore", "--variant", "4k-delalloc", "--blocks", "1", "--depth", "1"];
    const { exitCode, outcome } = await reported(args);
    expect([exitCode, ...statuses(outcome)]).toEqual([0, "pass"]);
    const { counts } = outcome.subtests[0]!;
    expect(counts.driven).toBe(counts.edges);
    const strict = await reported([...args, "--strict"]);
    expect([strict.exitCode, ...statuses(strict.outcome)]).toEqual([1, "fail"]);
  });

  test("of a run that a signal ends", async () => {
    const asked = FORMS.slice(0, 3).flatMap((form) => ["--report", form]);
    const path = join(folder, "result.json");
    const args = ["run", ...variants, "--seconds", "300", "--result", path, ...asked];
    const running = conform(args);
    // Written once the first variant has begun.
    while (!existsSync(path)) await setTimeout(100);
    running.kill("SIGTERM");
    expect(await running).toMatchObject({ signal: "SIGTERM" });
    expect(jsonFaults(read("r.json"), "outcome")).toEqual([]);
    expect(await junitFaults(read("r.xml"))).toEqual([]);
    const outcome = JSON.parse(read("r.json")) as Outcome;
    expect(outcome).toMatchObject({
      verdict: "incomplete",
      endedEarly: { by: "signal", message: "SIGTERM" },
    });
    expect(statuses(outcome)).toEqual([expect.stringMatching(/incomplete|not-run/), "not-run"]);
    expect(parseKtap(read("r.ktap"))).toMatchObject([{ ok: false, directive: "ERROR" }]);
  });

  test("doctor --json keeps to its schema", async () => {
    const { stdout, exitCode } = await conform(["doctor", "--json"]);
    expect(exitCode).toBe(0);
    expect(jsonFaults(stdout, "doctor")).toEqual([]);
    expect(JSON.parse(stdout)).toMatchObject({ canRun: true, abilities: {} });
  });

  test("run --result keeps to its schema", async () => {
    const args = ["run", "--strict", "--variant", "4k-delalloc", "--cases", "20", "--result", "-"];
    expect(jsonFaults((await conform(args)).stdout, "result")).toEqual([]);
  });

  test("a result that nobody reads takes no report with it", async () => {
    const words =
      "run --strict --variant 4k-delalloc --cases 20 --result - --report json:kept.json";
    const script = `node ${shellWord(cli)} ${words} | true; exit \${PIPESTATUS[0]}`;
    const { exitCode } = await execa("bash", ["-c", script], { cwd: folder, reject: false });
    expect(exitCode).toBe(141);
    expect(JSON.parse(read("kept.json"))).toMatchObject({ verdict: "diverges" });
  });

  test("a result and a report cannot both go to standard output", async () => {
    const args = ["run", ...variants, "--cases", "3", "--result", "-", "--report", "ktap"];
    const { stdout, stderr, exitCode } = await conform(args);
    expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 64 });
    expect(unwrapped(stderr)).toContain("only one report can be written to standard output");
  });
});

const asNobodyRuns = (args: string[]) =>
  execa("node", [cli, ...args], { ...asNobody, reject: false });

test("where nothing can run here, reports and doctor say so", async ({ skip }) => {
  const hidden = await hiddenFromNobody();
  skip(hidden !== undefined, hidden);
  const { stdout, exitCode } = await asNobodyRuns(["run", "--save", "/tmp", "--report", "ktap"]);
  expect(exitCode).toBe(4);
  expect(parseKtap(`${stdout}\n`)).toMatchObject([{ ok: true, directive: "SKIP", subtests: [] }]);
  const doctor = await asNobodyRuns(["doctor", "--json"]);
  expect(jsonFaults(doctor.stdout, "doctor")).toEqual([]);
  expect(JSON.parse(doctor.stdout)).toMatchObject({
    canRun: false,
    lacks: { reason: "not-root" },
    capabilities: expect.arrayContaining([
      expect.objectContaining({ is: false, command: expect.stringMatching(/^sudo .* run$/) }),
    ]),
  });
});

test("who is not root is told the same command in a guest", async ({ skip }) => {
  const hidden = await hiddenFromNobody();
  skip(hidden !== undefined, hidden);
  const words = ["run", "--variant", "4k-delalloc", "--cases", "7"];
  const { stderr } = await asNobodyRuns([...words, "--save", "/tmp"]);
  const said =
    /\nAs root: sudo .* run --variant 4k-delalloc --cases 7 --save \/tmp\nWithout root: .* run --kernel \S+ --variant 4k-delalloc --cases 7 --save \/tmp/;
  expect(unwrapped(`\n${stderr}`)).toMatch(said);
  expect((await asNobodyRuns(["trace", "record", "--out", "/tmp/none"])).stderr).toMatch(/^SKIP: /);
});
