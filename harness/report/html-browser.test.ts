/**
 * The report in HTML in a browser: Debian's Chromium. It is skipped, and says so, where there is
 * none.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { lacksChromium, openFile, startChromium } from "../host/chromium.ts";
import { exampleOutcome, withFindings } from "./html-example.ts";
import { html } from "./html.ts";
import type { Outcome } from "./outcome.ts";

const lacks = lacksChromium();
if (lacks !== undefined) console.warn(`SKIP: ${lacks}`);

/** A telephone. */
const NARROW = { width: 390, height: 844 };

const axePath = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

interface Violation {
  id: string;
  nodes: { html: string; failureSummary?: string }[];
}

/** What axe-core, injected past the policy, has to say of a page. */
async function violations(page: Page): Promise<string[]> {
  await page.addScriptTag({ path: axePath });
  const { violations: found } = await page.evaluate<{ violations: Violation[] }>("axe.run()");
  return found.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.html.slice(0, 200)} ${node.failureSummary ?? ""}`),
  );
}

const ground = (page: Page): Promise<string> =>
  page.evaluate<string>("getComputedStyle(document.body).backgroundColor");

describe.skipIf(lacks !== undefined)("a report in a browser", () => {
  let browser: Browser;
  let folder = "";
  beforeAll(async () => {
    browser = await startChromium();
    folder = mkdtempSync(join(tmpdir(), "ext4-conform-html-"));
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Write a report and open it. */
  async function open(outcome: Outcome, options: Parameters<typeof openFile>[2] = {}) {
    const path = join(folder, "report.html");
    writeFileSync(path, html(outcome));
    return { ...(await openFile(browser, path, options)), path };
  }

  test("asks for nothing but itself, and the browser has nothing to complain of", async () => {
    const { page, requests, complaints, path } = await open(exampleOutcome());
    await page.getByRole("heading", { name: "Diverges", level: 1 }).waitFor();
    expect(requests).toEqual([`file://${path}`]);
    expect(complaints).toEqual([]);
  });

  test("arrow keys step through the operations, and the map goes with them", async () => {
    const { page, complaints } = await open(exampleOutcome());
    const article = page.locator("#finding-2");
    const title = article.locator(".step-title");
    const map = article.locator(".map");
    const shows = await map.getAttribute("aria-label");
    expect(await title.textContent()).toBe("After operation 3");
    expect(shows).toContain("Seen: 0-1 delayed, EOF at byte 4096.");
    const operations = article.locator("button.line");
    await operations.last().focus();
    await page.keyboard.press("ArrowUp");
    expect(await title.textContent()).toBe("After operation 2");
    expect(await map.getAttribute("aria-label")).toContain("Seen: 0 delayed, EOF at byte 512.");
    expect(await article.locator("[aria-live]").textContent()).toBe(
      "After operation 2, ftruncate(size=512). As expected.",
    );
    await page.keyboard.press("Home");
    expect(await title.textContent()).toBe("After operation 0");
    expect(await operations.first().getAttribute("aria-current")).toBe("step");
    expect(await operations.first().evaluate("document.activeElement.textContent")).toContain(
      "pwrite(pos=7680, len=4096)",
    );
    await page.keyboard.press("End");
    expect(await map.getAttribute("aria-label")).toBe(shows);
    expect(await article.locator("[aria-live]").textContent()).toContain(
      "Differs: i_size, expected 512 (512 bytes), seen 4096 (1 block)",
    );
    expect(complaints).toEqual([]);
  });

  test("keys step the finding in view where nothing has the focus, buttons do too", async () => {
    const { page } = await open(exampleOutcome());
    const title = page.locator("#finding-1 .step-title");
    await page.keyboard.press("ArrowLeft");
    expect(await title.textContent()).toBe("After operation 3");
    await page.locator("#finding-1").getByRole("button", { name: "Previous operation" }).click();
    expect(await title.textContent()).toBe("After operation 2");
    await page.keyboard.press("ArrowRight");
    expect(await title.textContent()).toBe("After operation 3");
  });

  test("copies a program, and the command", async () => {
    const { page } = await open(exampleOutcome(), {
      permissions: ["clipboard-read", "clipboard-write"],
    });
    const copied = () => page.evaluate<string>("navigator.clipboard.readText()");
    const article = page.locator("#finding-1");
    await article.getByText("C program", { exact: true }).click();
    const copy = article.getByRole("button", { name: "Copy C program of this finding" });
    await copy.click();
    await expect.poll(() => copy.textContent()).toBe("Copied");
    expect(await copied()).toContain("int main(void)\n{\n\t");
    await article.getByRole("button", { name: "Copy the command" }).click();
    await expect.poll(copied).toMatch(/^ext4-conform replay --strict counterexamples\/\S+\.json$/);
  });

  test("is light or dark as the reader has it, or as they choose here", async () => {
    const { page } = await open(exampleOutcome(), { colorScheme: "light" });
    const light = await ground(page);
    await page.emulateMedia({ colorScheme: "dark" });
    const dark = await ground(page);
    expect(dark).not.toBe(light);
    const button = page.getByRole("button", { name: "Theme: auto" });
    await button.click();
    expect(await ground(page)).toBe(light);
  });

  test.for([
    ["light", { width: 1200, height: 900 }],
    ["dark", { width: 1200, height: 900 }],
    ["light", NARROW],
    ["dark", NARROW],
  ] as const)("is accessible, %s, at %o", async ([colorScheme, viewport]) => {
    const { page } = await open(exampleOutcome(), { colorScheme, viewport, bypassCSP: true });
    await page.getByText("C program", { exact: true }).first().click();
    expect(await violations(page)).toEqual([]);
  });

  test("does not scroll sideways on a narrow screen", async () => {
    const { page } = await open(exampleOutcome(), { viewport: NARROW });
    await page.getByText("C program", { exact: true }).first().click();
    const width = await page.evaluate<number>("document.documentElement.scrollWidth");
    expect(width).toBe(NARROW.width);
  });

  test("prints as shapes, not as pictures of them, and as light", async () => {
    const { page } = await open(exampleOutcome(), { colorScheme: "dark" });
    expect((await page.pdf({ format: "A4" })).length).toBeLessThan(1_000_000);
    await page.emulateMedia({ media: "print" });
    expect(await ground(page)).toBe("rgb(255, 255, 255)");
  });

  test("shows the findings without its script", async () => {
    const { page } = await open(exampleOutcome(), { javaScriptEnabled: false });
    const article = page.locator("#finding-1");
    expect(await article.locator(".step-title").textContent()).toBe("After operation 4");
    expect(await article.getByRole("button", { name: "Next operation" }).count()).toBe(0);
  });

  test("what it is told of is text, and asks for nothing", async () => {
    const evil = `</script><script>document.title="owned"</script><img src="http://a.invalid/x">`;
    const example = exampleOutcome();
    const [subtest] = example.subtests;
    const [finding] = subtest!.findings;
    const divergence = { ...finding!.divergence, message: evil, evidence: [evil] };
    const findings = [{ ...finding!, divergence, command: evil }];
    const outcome = { ...example, host: evil, subtests: [{ ...subtest!, name: evil, findings }] };
    const { page, requests, complaints } = await open(outcome);
    await page.keyboard.press("ArrowLeft");
    expect(await page.title()).toBe("Diverges: ext4-conform 0.1.0 run");
    expect(await page.locator("pre.evidence").textContent()).toBe(evil);
    expect(requests).toHaveLength(1);
    expect(complaints).toEqual([]);
  });

  test("opens with fifty findings in a moment", async () => {
    const outcome = withFindings(exampleOutcome(), 50);
    const path = join(folder, "fifty.html");
    writeFileSync(path, html(outcome));
    const started = performance.now();
    const { page } = await openFile(browser, path);
    expect(await page.locator("article").count()).toBe(50);
    // It takes a third of a second; the machine may be busy.
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});
