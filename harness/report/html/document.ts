/**
 * The document: one file, which asks nobody for anything. What it may run and how it may look is
 * named in its policy by digest, so that nothing which got into it otherwise would be obeyed.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../host/package.ts";
import { findingsIndex, findingView } from "./finding.ts";
import { html, Markup } from "./markup.ts";
import type { Page } from "./page.ts";
import { metView, patchView } from "./reached.ts";
import { deviationList, header, variantTable, verdictWord } from "./summary.ts";

/** As it stands in the sources. */
const stylePath = join(packageRoot, "harness", "report", "html", "report.css");

/** As `npm run build` packs it (ci/rolldown.config.mjs). */
const scriptPath = join(packageRoot, "dist", "report.js");

const digest = (text: string): string =>
  `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** An element that holds no markup, and its text as it stands: nothing in that may end it. */
function element(name: "script" | "style", text: string): Markup {
  if (/<\/(script|style)|<!--/i.test(text)) throw new Error("a part of the report would end early");
  return new Markup(`<${name}>${text}</${name}>`);
}

/** JSON that nothing in it can end. */
const jsonOf = (value: unknown): Markup =>
  new Markup(JSON.stringify(value).replaceAll("<", String.raw`\u003c`));

const section = (id: string, title: string, content: Markup): Markup =>
  html`<section id="${id}" aria-labelledby="${id}-title">
    <h2 id="${id}-title">${title}</h2>
    ${content}
  </section>`;

function findings({ findings }: Page): Markup {
  return html`${findings.length > 1 && findingsIndex(findings)}
    <p class="keys" hidden>
      <kbd>←</kbd> <kbd>→</kbd> step through the operations of a finding, <kbd>Home</kbd>
      <kbd>End</kbd> to the first and the last of them.
    </p>
    <p class="legend" aria-hidden="true">
      ${(["written", "unwritten", "delayed"] as const).map(
        (state) =>
          html`<span
            ><svg width="22" height="14">
              <rect class="state ${state}" x="1" y="1" width="20" height="12" /></svg
            >${state}</span
          >`,
      )}
      <span
        ><svg width="22" height="14"><line class="nothing" x1="0" x2="22" y1="7" y2="7" /></svg
        >hole</span
      >
      <span
        ><svg width="22" height="14">
          <rect class="differs" x="1" y="1" width="20" height="12" /></svg
        >differs</span
      >
      <span
        ><svg width="10" height="14"><line class="eof" x1="5" x2="5" y1="0" y2="14" /></svg
        >i_size</span
      >
      <span
        ><svg width="22" height="14"><rect class="reached" x="1" y="4" width="20" height="6" /></svg
        >asked for</span
      >
      <span
        ><svg width="22" height="14"><rect class="missing" x="1" y="4" width="20" height="6" /></svg
        >buffer missing</span
      >
    </p>
    ${findings.map((finding, i) => findingView(finding, i + 1))}`;
}

/** What is the same in every document: patterns that shapes are filled with. */
const PATTERNS = html`<svg width="0" height="0" class="patterns" aria-hidden="true">
  <defs>
    <pattern id="hatched" width="6" height="6" patternUnits="userSpaceOnUse">
      <rect class="hatch-ground" width="6" height="6" />
      <path class="hatch" d="M-1 1l2-2M0 6l6-6M5 7l2-2" />
    </pattern>
    <pattern id="dashed" width="5" height="8" patternUnits="userSpaceOnUse">
      <path class="dash" d="M0 0v8" />
    </pattern>
  </defs>
</svg>`;

function body(page: Page): Markup {
  const { variants, met, patch, deviations } = page;
  return html`${header(page)}
    <main>
      ${page.findings.length > 0 && section("findings", "Findings", findings(page))}
      ${variants.length > 0 && section("variants", "What was run", variantTable(page))}
      ${met && section("reached", "What was reached", metView(met))}
      ${patch && section("patch", "The patch", patchView(patch))}
      ${
        deviations.length > 0 &&
        section("deviations", "Known deviations of this kernel", deviationList(page))
      }
    </main>`;
}

/** The whole document. */
export function documentOf(page: Page): string {
  const [style, script] = [stylePath, scriptPath].map((path) => readFileSync(path, "utf8")) as [
    string,
    string,
  ];
  const policy = [
    "default-src 'none'",
    `style-src ${digest(style)}`,
    `script-src ${digest(script)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  const document = html`<html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta http-equiv="Content-Security-Policy" content="${policy}" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="referrer" content="no-referrer" />
      <meta name="color-scheme" content="light dark" />
      <title>${verdictWord(page)}: ${page.tool}</title>
      ${element("style", style)}
    </head>
    <body>
      ${PATTERNS} ${body(page)}
      <script type="application/json" id="timelines">
        ${jsonOf(page.findings.map(({ timeline }) => timeline))}
      </script>
      ${element("script", script)}
    </body>
  </html>`;
  return `<!doctype html>\n${String(document)}\n`;
}
