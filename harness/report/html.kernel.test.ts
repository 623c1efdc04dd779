/**
 * A real run that reports in HTML, as a reader opens it.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { builtCommand } from "../host/built-command.ts";
import { lacksChromium, openFile, startChromium } from "../host/chromium.ts";
import { machineLacks } from "../system/machine.ts";

const lacks = machineLacks()?.message ?? lacksChromium();
if (lacks !== undefined) console.warn(`SKIP: ${lacks}`);

const { folder, conform } = builtCommand("html");

describe.skipIf(lacks !== undefined)("a run that reports in HTML", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startChromium();
  });
  afterAll(async () => browser?.close());

  test("shows what was found, how it came to that, and what was met", async () => {
    // Released kernels have known deviations there, which are findings to a strict run.
    const args = ["run", "--strict", "--variant", "4k-nodelalloc", "--cases", "60", "--seed", "7"];
    const { exitCode, stdout } = await conform([...args, "--report", "html:report.html"]);
    const { page, complaints, requests } = await openFile(browser, join(folder, "report.html"));
    const verdict = await page.getByRole("heading", { level: 1 }).textContent();
    expect(complaints).toEqual([]);
    expect(requests).toHaveLength(1);
    expect(await page.getByRole("heading", { name: "What was reached" }).count()).toBe(1);
    expect(await page.locator("table.met tbody tr").count()).toBeGreaterThan(3);
    expect(verdict).toBe(exitCode === 0 ? "Conforms" : "Diverges");
    if (exitCode === 0) return;
    const command = await page.locator("#finding-1-command").textContent();
    expect(stdout).toContain(command);
    await page.keyboard.press("Home");
    await page.locator("#finding-1 .step-title").waitFor();
    expect(await page.locator("#finding-1 .map").getAttribute("aria-label")).toContain("Seen: ");
  });

  test("a replay shows its case", async () => {
    const operations = [{ op: "pwrite", pos: 4096, len: 4096, readable: 0 }, { op: "fsync" }];
    const head = { format: "ext4-conform counterexample", version: 1 };
    const text = JSON.stringify({ ...head, variant: "4k-nodelalloc", operations });
    writeFileSync(join(folder, "case.json"), text);
    const args = ["replay", "case.json", "--strict", "--report", "html:replay.html"];
    const { exitCode } = await conform(args);
    const { page, complaints } = await openFile(browser, join(folder, "replay.html"));
    const verdict = await page.getByRole("heading", { level: 1 }).textContent();
    expect(verdict).toBe(exitCode === 0 ? "Conforms" : "Diverges");
    expect(await page.getByRole("rowheader", { name: "case.json" }).count()).toBe(1);
    expect(complaints).toEqual([]);
  });
});
