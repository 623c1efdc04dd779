/**
 * How bad something is, in words and as five strokes of which some are drawn strongly.
 */
import { SEVERITIES } from "../../finding/severity.ts";
import type { Severity } from "../../finding/severity.ts";
import { html } from "./markup.ts";
import type { Markup } from "./markup.ts";

export function severityMark(severity: Severity): Markup {
  const rank = SEVERITIES.indexOf(severity);
  const strokes = SEVERITIES.map(
    (_, place) =>
      html`<rect
        class="${place < SEVERITIES.length - rank ? "on" : "off"}"
        x="${place * 5}"
        y="${8 - place * 2}"
        width="3"
        height="${place * 2 + 2}"
      />`,
  );
  return html`<span class="severity rank-${rank + 1}"
    ><svg width="24" height="10" aria-hidden="true">${strokes}</svg>${severity}</span
  >`;
}
