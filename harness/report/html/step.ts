/**
 * A step of a finding, as the document shows it and as the script shows another one.
 */
import { grouped } from "../../text/numbers.ts";
import { axisOf } from "./axis.ts";
import { curvesOf } from "./curves.ts";
import { mapOf } from "./map.ts";
import { html } from "./markup.ts";
import type { Markup } from "./markup.ts";
import type { Fact, Step, Timeline, Touched } from "./timeline.ts";

const isJudged = ({ facts }: Step): boolean => facts.some(({ expected }) => expected !== undefined);

function factRow({ name, expected, seen, differs }: Fact, judged: boolean): Markup {
  return html`<tr class="${differs ? "differs" : ""}">
    <th scope="row">${name}</th>
    ${judged && html`<td>${expected ?? "-"}</td>`}
    <td>${seen}${differs && html`<span class="mark" title="differs">≠</span>`}</td>
  </tr>`;
}

function factTable(step: Step): Markup | undefined {
  if (step.facts.length === 0) return undefined;
  const judged = isJudged(step);
  return html`<table class="facts">
    <thead>
      <tr>
        <td></td>
        ${judged && html`<th scope="col">model</th>`}
        <th scope="col">kernel</th>
      </tr>
    </thead>
    <tbody>
      ${step.facts.map((fact) => factRow(fact, judged))}
    </tbody>
  </table>`;
}

/** What of a buffer cannot be read, in a line. */
function missing({ pos, len, readable }: Touched): Markup | undefined {
  if (readable === undefined || readable >= len) return undefined;
  const what = readable === 0 ? "none of its" : `${grouped(readable)} of its`;
  return html`<p class="note">
    <svg width="22" height="9" aria-hidden="true">
      <rect class="missing" x="1" y="1" width="20" height="7" />
    </svg>
    The buffer ends short: ${what} ${grouped(len)} bytes can be read; what is missing belongs at
    bytes ${pos + readable}-${pos + len - 1} of the file.
  </p>`;
}

/** "operation 3", of which number `current` of the timeline is. */
export const stepTitle = ({ steps }: Timeline, current: number): string =>
  `After operation ${steps[current]!.index}`;

/** A step in a sentence, for whoever hears it. */
export function stepSentence(timeline: Timeline, current: number): string {
  const step = timeline.steps[current]!;
  const differing = step.facts.filter(({ differs }) => differs);
  const state =
    differing.length === 0
      ? "As expected."
      : `Differs: ${differing.map(({ name, expected = "-", seen }) => `${name}, expected ${expected}, seen ${seen}`).join("; ")}.`;
  return `${stepTitle(timeline, current)}, ${step.operation}. ${isJudged(step) ? state : ""}`;
}

/** What was expected and seen in step number `current` of the timeline. */
export function stepView(timeline: Timeline, current: number): Markup {
  const step = timeline.steps[current]!;
  return html`<p class="operation"><code>${step.operation}</code></p>
    ${step.about !== undefined && html`<p class="note">${step.about}</p>`}
    ${mapOf(step, timeline, axisOf(timeline))} ${missing(step.touched)} ${factTable(step)}`;
}

export const curvesView = (timeline: Timeline, current: number): Markup =>
  html`${curvesOf(timeline, current)}`;
