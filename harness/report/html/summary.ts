/**
 * What a report begins with: the verdict, on which kernel, and what came of each variant.
 */
import { counted, grouped } from "../../text/numbers.ts";
import { html } from "./markup.ts";
import type { Markup } from "./markup.ts";
import type { Page, VariantPage } from "./page.ts";
import { severityMark } from "./severity-mark.ts";

const VERDICTS: Readonly<Record<Page["verdict"], string>> = {
  conforms: "Conforms",
  diverges: "Diverges",
  "not-reproduced": "Not reproduced",
  incomplete: "Incomplete",
};

const STATUSES: Readonly<Record<VariantPage["status"], string>> = {
  pass: "conforms",
  fail: "diverges",
  "not-reproduced": "not reproduced",
  incomplete: "incomplete",
  "not-run": "not run",
};

export const verdictWord = ({ verdict }: Page): string => VERDICTS[verdict];

export function header(page: Page): Markup {
  const { tool, verdict, sentence, facts } = page;
  return html`<header class="top">
    <p class="tool">
      <span>${tool}</span>
      <button type="button" class="theme" hidden>Light or dark</button>
    </p>
    <h1 class="verdict ${verdict}">${verdictWord(page)}</h1>
    <p class="sentence">${sentence}</p>
    <dl class="about">
      ${facts.map(
        ([name, value]) =>
          html`<div>
            <dt>${name}</dt>
            <dd>${value}</dd>
          </div>`,
      )}
    </dl>
  </header>`;
}

const number = (count: number | undefined): string => (count === undefined ? "" : grouped(count));

function variantRow(variant: VariantPage): Markup {
  const { name, path, status, notes, counts, seconds, mountOptions } = variant;
  return html`<tr>
    <th scope="row">${name}</th>
    <td class="status ${status}">
      ${STATUSES[status]}${notes.map((note) => html`<span class="note">${note}</span>`)}
    </td>
    <td>${path}</td>
    ${counts.map((count) => html`<td class="count">${number(count)}</td>`)}
    <td class="count">${seconds.toFixed(1)}</td>
    <td class="options">
      ${mountOptions.split(",").map((one, i) => html`${i > 0 && html`,<wbr />`}${one}`)}
    </td>
  </tr>`;
}

export function variantTable({ variants, counted }: Page): Markup {
  return html`<div class="scrolls" tabindex="0" role="group" aria-label="Variants">
    <table class="variants">
      <thead>
        <tr>
          <th scope="col">variant</th>
          <th scope="col">result</th>
          <th scope="col">path</th>
          ${counted.map((name) => html`<th scope="col" class="count">${name}</th>`)}
          <th scope="col" class="count">seconds</th>
          <th scope="col">mounted with</th>
        </tr>
      </thead>
      <tbody>
        ${variants.map(variantRow)}
      </tbody>
    </table>
  </div>`;
}

export function deviationList({ deviations }: Page): Markup {
  return html`<dl class="deviations">
    ${deviations.map(
      ({ id, cases, claim, severity }) =>
        html`<div>
          <dt>
            <code>${id}</code>${severity && severityMark(severity)}
            <span>${cases === 0 ? "by its witness only" : `in ${counted(cases, "case")}`}</span>
          </dt>
          <dd>${claim}</dd>
        </div>`,
    )}
  </dl>`;
}
