/**
 * For tests and for the picture in the documents: a document in a real browser, the distribution's
 * Chromium, without a window.
 */
import { existsSync } from "node:fs";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";

/** Debian's. */
const PATH = "/usr/bin/chromium";

/** Why there is no browser; undefined where there is one. */
export const lacksChromium = (): string | undefined =>
  existsSync(PATH) ? undefined : `there is no ${PATH}, which Debian's package chromium has`;

/** Its sandbox is not for root. */
export const startChromium = (): Promise<Browser> =>
  chromium.launch({
    executablePath: PATH,
    args: process.geteuid?.() === 0 ? ["--no-sandbox"] : [],
  });

export interface Opened {
  page: Page;
  /** What it asked for, itself too. */
  requests: string[];
  /** What the browser complained of. */
  complaints: string[];
}

/** A file in a page of its own, with what it did that it should not have done. */
export async function openFile(
  browser: Browser,
  path: string,
  options: BrowserContextOptions = {},
): Promise<Opened> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const requests: string[] = [];
  const complaints: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  await page.goto(`file://${path}`);
  return { page, requests, complaints };
}
