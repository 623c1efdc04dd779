/**
 * The pictures of a report in HTML that the documents show: `npm run report-picture` makes them
 * anew, with Debian's Chromium.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lacksChromium, openFile, startChromium } from "../harness/host/chromium.ts";
import { packageRoot } from "../harness/host/package.ts";
import { exampleOutcome } from "../harness/report/html-example.ts";
import { html } from "../harness/report/html.ts";

const lacks = lacksChromium();
if (lacks !== undefined) throw new Error(lacks);

/** From the finding that has most to show. */
const SHOWN = "#finding-2";
const SIZE = { width: 1100, height: 760 };

const folder = mkdtempSync(join(tmpdir(), "ext4-conform-picture-"));
const browser = await startChromium();
try {
  const report = join(folder, "report.html");
  writeFileSync(report, html(exampleOutcome()));
  for (const colorScheme of ["light", "dark"] as const) {
    const options = { colorScheme, viewport: SIZE, reducedMotion: "reduce" } as const;
    const { page } = await openFile(browser, report, options);
    await page.evaluate(`document.querySelector("${SHOWN}").scrollIntoView()`);
    const path = join(packageRoot, "harness", "report", `html-${colorScheme}.png`);
    await page.screenshot({ path });
    process.stdout.write(`${path}\n`);
  }
} finally {
  await browser.close();
  rmSync(folder, { recursive: true });
}
