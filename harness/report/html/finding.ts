/**
 * A finding: what it is, how it came to it step by step, what was said, and how to see it again.
 */
import { html } from "./markup.ts";
import { severityMark } from "./severity-mark.ts";
import type { Markup } from "./markup.ts";
import type { FindingPage, Form, Operations } from "./page.ts";
import { curvesView, stepTitle, stepView } from "./step.ts";
import type { Step } from "./timeline.ts";

/** The number of its step in a timeline, where it has one; else that of the last. */
const firstShown = (steps: readonly Step[]): number => {
  const at = steps.findIndex(({ shows }) => shows);
  return at < 0 ? steps.length - 1 : at;
};

const copyButton = (what: string, id: string): Markup =>
  html`<button type="button" class="copy" data-copy="${id}" aria-label="Copy ${what}" hidden>
    Copy
  </button>`;

function operationLine(
  { text, blocks }: Operations["lines"][number],
  index: number,
  { step, timeline: { steps } }: FindingPage,
): Markup {
  const number = steps.findIndex((one) => one.index === index);
  const differs = steps[number]?.facts.some((fact) => fact.differs) === true;
  const content = html`<span class="nth">${index}</span><code>${text}</code
    ><span class="blocks">${blocks}</span>${
      (differs || index === step) &&
      html`<span class="flag">${index === step ? "shows it" : "differs"}</span>`
    }`;
  if (number < 0) return html`<li><span class="line">${content}</span></li>`;
  return html`<li>
    <button type="button" class="line" data-go="${number}">${content}</button>
  </li>`;
}

function operationList(finding: FindingPage): Markup | undefined {
  const { operations, step } = finding;
  if (operations.lines.length === 0) return undefined;
  const after = operations.lines.length - step - 1;
  const shown = operations.lines.slice(0, step + 1);
  return html`<h4>${operations.title}</h4>
    <ol class="operations" start="0">
      ${shown.map((line, index) => operationLine(line, index, finding))}
    </ol>
    ${
      after > 0 && html`<p class="note">${after} more ${after === 1 ? "was" : "were"} not run.</p>`
    }`;
}

function earlierCase({ title, lines }: Operations): Markup {
  return html`<details class="earlier">
    <summary>${title}</summary>
    <ol class="operations" start="0">
      ${lines.map(
        ({ text, blocks }, index) =>
          html`<li>
            <span class="line"
              ><span class="nth">${index}</span><code>${text}</code
              ><span class="blocks">${blocks}</span></span
            >
          </li>`,
      )}
    </ol>
  </details>`;
}

/** The step that showed it, with room for what the script tells of others. */
function look({ timeline }: FindingPage): Markup | undefined {
  if (timeline.steps.length === 0) return undefined;
  const current = firstShown(timeline.steps);
  return html`<div class="look" data-current="${current}">
    <div class="look-head">
      <h4 class="step-title">${stepTitle(timeline, current)}</h4>
      <span class="stepper" hidden>
        <button type="button" data-by="-1" aria-label="Previous operation">←</button>
        <button type="button" data-by="1" aria-label="Next operation">→</button>
      </span>
    </div>
    <p class="spoken" aria-live="polite"></p>
    <div class="step">${stepView(timeline, current)}</div>
  </div>`;
}

function formView({ name, file, text, refusal }: Form, id: string): Markup {
  if (text === undefined) return html`<p class="note">${name}: ${refusal}</p>`;
  const lines = text.split("\n").length - 1;
  return html`<details class="form">
    <summary><b>${name}</b> <span class="note">${file}, ${lines} lines</span></summary>
    <div class="code">
      ${copyButton(`${name} of this finding`, id)}
      <pre id="${id}" tabindex="0" aria-label="${name}">${text}</pre>
    </div>
  </details>`;
}

function linesView(title: string, lines: readonly string[]): Markup | undefined {
  if (lines.length === 0) return undefined;
  return html`<h4>${title}</h4>
    <pre class="evidence" tabindex="0" aria-label="${title}">${lines.join("\n")}</pre>`;
}

/** Why it is wrong, and where to begin. */
function argument({ why, where }: FindingPage): Markup {
  const model = where?.model === undefined ? "" : html`, model <code>${where.model}</code>`;
  return html`${why.length > 0 && html`<h4>Why that is wrong</h4>`}
  ${why.map((sentence) => html`<p class="why">${sentence}</p>`)}
  ${
    where &&
    html`<h4>Where to begin</h4>
      <p class="where">kernel <code>${where.kernel}</code>${model}</p>`
  }`;
}

function again({ command, forms }: FindingPage, id: string): Markup {
  return html`<h4>See it again</h4>
    <div class="command">
      <code id="${id}-command">${command}</code>${copyButton("the command", `${id}-command`)}
    </div>
    ${forms.length > 0 && html`<h4>Without this tool</h4>`}
    ${forms.map((form, i) => formView(form, `${id}-form-${i}`))}`;
}

/** @param number from 1 */
export function findingView(finding: FindingPage, number: number): Markup {
  const { title, message, facts, named, confirmed, accepted, timeline, earlier } = finding;
  const id = `finding-${number}`;
  const hasSteps = timeline.steps.length > 0;
  const last = firstShown(timeline.steps);
  return html`<article id="${id}" class="finding" data-timeline="${number - 1}" tabindex="-1">
    <header>
      <p class="kicker">${severityMark(finding.severity)} <span>${facts.join(" · ")}</span></p>
      <h3><a href="#${id}">${number}</a> ${title}</h3>
      <p class="message">${message}</p>
      ${named.length > 0 && html`<p class="note">Known as ${named.join(" and ")}.</p>`}
      ${accepted !== undefined && html`<p class="note">Accepted: <code>${accepted}</code></p>`}
      ${!confirmed && html`<p class="note">A fresh image did not show it again.</p>`}
    </header>
    <div class="timeline">
      <div class="list">${earlier.map(earlierCase)} ${operationList(finding)}</div>
      ${look(finding)} ${hasSteps && html`<div class="curves">${curvesView(timeline, last)}</div>`}
    </div>
    <div class="rest">
      ${argument(finding)} ${linesView("What was said", finding.evidence)}
      ${linesView("Trace events that the failing call passed", finding.passed)}
      ${again(finding, id)}
    </div>
  </article>`;
}

/** All of them in a line each, the worst first. */
export function findingsIndex(findings: readonly FindingPage[]): Markup {
  return html`<ol class="index">
    ${findings.map(
      (finding, i) =>
        html`<li>
          ${severityMark(finding.severity)}<a href="#finding-${i + 1}">${finding.message}</a
          ><span class="variant">${finding.variant}</span>
        </li>`,
    )}
  </ol>`;
}
