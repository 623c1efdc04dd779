/**
 * The forms of what a command came to, each by the word that asks for it.
 */
import { annotations, summary } from "./github.ts";
import { html } from "./html.ts";
import { json } from "./json.ts";
import { junit } from "./junit.ts";
import { ktap } from "./ktap.ts";
import type { Outcome } from "./outcome.ts";

export interface ReportForm {
  /** The whole report. */
  text: (outcome: Outcome) => string;
  /** What goes to the summary of a step besides, where GitHub Actions runs it. */
  summary?: (outcome: Outcome) => string;
}

export const reportForms = {
  ktap: { text: ktap },
  junit: { text: junit },
  github: { text: annotations, summary },
  json: { text: json },
  html: { text: html },
} as const satisfies Record<string, ReportForm>;

export type ReportFormName = keyof typeof reportForms;
