/**
 * Runs that end before their time, and runs that end by it: what they had is told.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { builtCommand, cli, unwrapped } from "../host/built-command.ts";
import { readResult } from "../stored/result.ts";
import type { RunResult } from "../stored/result.ts";

const root = process.geteuid?.() === 0;
const { folder, conform } = builtCommand("early-end");

/** Waits until a run that goes on has written of a case into its result. */
async function resultWithCases(path: string): Promise<RunResult> {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    if (!fs.existsSync(path)) continue;
    const result = readResult(path);
    if (result.variants.some(({ counts }) => counts.cases > 0)) return result;
  }
}

/** A run of seconds in which it comes to a case: on a machine that has much to do, of more. */
async function inEnoughTime(
  run: (seconds: number) => ReturnType<typeof conform>,
): Promise<Awaited<ReturnType<typeof conform>>> {
  for (let seconds = 10; ; seconds *= 2) {
    const ended = await run(seconds);
    if (seconds > 300 || !/^NOT RUN/m.test(ended.stdout)) return ended;
  }
}

describe.skipIf(!root)("a run (needs root)", () => {
  test("that has too little time says what it did not run", async () => {
    const path = join(folder, "short.json");
    const args = ["run", "--variant", "all", "--seconds", "1", "--result", path];
    const { exitCode, stdout } = await conform(args);
    const { notRun = [] } = readResult(path);
    // How many come to run depends on the machine: not all of them.
    expect(notRun).toContain("4k-data-journal");
    expect(`${exitCode} ${unwrapped(stdout)}`).toMatch(
      /^(?:0 [^]*\nCONFORMS.*; not run: .*4k-data-journal|4 [^]*\nNOT RUN)/,
    );
  });

  test("goes over its time by little", async () => {
    const path = join(folder, "time.json");
    const { stdout } = await conform(["run", "--seconds", "15", "--result", path]);
    const { seconds, verdict, variants, notRun = [] } = readResult(path);
    expect(stdout).toMatch(/^CONFORMS/m);
    expect(verdict).toBe("conforms");
    // It is 16.5 s, and more only where the machine does something else as well.
    expect(seconds).toBeLessThan(20);
    expect(variants.length).toBeGreaterThan(0);
    expect(variants.length + notRun.length).toBe(12);
  });

  test("ends with what is reached first, cases or seconds", async () => {
    const args = ["run", "--variant", "4k-delalloc", "--seed", "1"];
    const few = await conform([...args, "--cases", "5", "--seconds", "1000"]);
    expect(unwrapped(few.stdout)).toMatch(/CONFORMS.*1 variant; known: .*$/m);
    const many = await inEnoughTime((seconds) =>
      conform([...args, "--cases", "1000000", "--seconds", String(seconds)]),
    );
    expect(unwrapped(many.stdout)).toMatch(
      /CONFORMS.*; the time was up before all cases of 4k-delalloc/,
    );
  });

  test.each(["SIGTERM", "SIGINT"] as const)("that %s ends tells what it had", async (signal) => {
    const path = join(folder, `${signal}.json`);
    const running = conform(["run", "--seconds", "300", "--result", path]);
    const before = await resultWithCases(path);
    expect(before).toMatchObject({ verdict: "incomplete", endedEarly: "still running" });
    running.kill(signal);
    const ended = await running;
    expect(ended.signal).toBe(signal);
    expect(ended.stdout).toMatch(/^4k-delalloc +buffer_head .*ended early$/m);
    expect(unwrapped(ended.stdout)).toMatch(
      new RegExp(`^ENDED EARLY: ${signal}; no unnamed divergence in`, "m"),
    );
    const { verdict, endedEarly, variants, notRun = [] } = readResult(path);
    expect({ verdict, endedEarly }).toEqual({ verdict: "incomplete", endedEarly: signal });
    expect(variants[0]!.counts.cases).toBeGreaterThanOrEqual(before.variants[0]!.counts.cases);
    expect(notRun).toContain("4k-full-delayed");
    expect(ended.stdout).not.toContain("CONFORMS");
  });

  test("whose terminal is closed comes to its end, and does not crash there", async () => {
    const path = join(folder, "closed.json");
    const run = `node ${cli} run --variant 4k-delalloc --seconds 20 --result ${path}`;
    const shell = `trap '' HUP; ${run}; echo $? > status`;
    const script = execa("script", ["-qec", shell, "/dev/null"], { reject: false, cwd: folder });
    await resultWithCases(path);
    // Whoever has the other end of the terminal is gone, and the terminal with it.
    script.kill("SIGKILL");
    await script;
    const status = join(folder, "status");
    while (!fs.existsSync(status) || fs.readFileSync(status, "utf8") === "") {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(fs.readFileSync(status, "utf8")).toBe("0\n");
    expect(readResult(path).verdict).toBe("conforms");
  });
});
