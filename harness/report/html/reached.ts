/**
 * What was reached: what operations met, and which lines of a patch ran. What was never reached was
 * never tested, so it is what a reader must see first.
 */
import type { FunctionLines, PatchLines } from "../../coverage/patch-lines.ts";
import { counted, grouped } from "../../text/numbers.ts";
import { html } from "./markup.ts";
import type { Markup } from "./markup.ts";
import type { MetTable } from "./page.ts";

/** Shades of a count: a step for each power of ten. */
const SHADES = 6;

/** What was never met in the first group was never tested; of the others nothing needs to be. */
function metCell(count: number | undefined, isFirst: boolean): Markup {
  if (count === undefined || count === 0) {
    return isFirst ? html`<td class="never">never</td>` : html`<td class="none">-</td>`;
  }
  const shade = Math.min(SHADES, 1 + Math.floor(Math.log10(count)));
  return html`<td class="shade-${shade}">${grouped(count)}</td>`;
}

export function metView({ groups, rows }: MetTable): Markup {
  const states = groups[0]?.columns.length ?? 0;
  const pairs = rows.flatMap(({ counts }) => counts.slice(0, states));
  const met = pairs.filter((count = 0) => count > 0).length;
  const columns = groups.flatMap((group) => group.columns);
  return html`<p>
      ${grouped(met)} of ${grouped(pairs.length)} pairs of an operation and a state of the blocks
      that it is about were met. What was never met was not tested.
    </p>
    <div class="scrolls" tabindex="0" role="group" aria-label="What was reached">
      <table class="met">
        <thead>
          <tr>
            <td></td>
            ${groups.map(
              ({ title, columns }) =>
                html`<th scope="colgroup" colspan="${columns.length}">${title}</th>`,
            )}
          </tr>
          <tr>
            <td></td>
            ${columns.map((column) => html`<th scope="col">${column}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            ({ kind, counts }) =>
              html`<tr>
                <th scope="row">${kind}</th>
                ${columns.map((_, i) => metCell(counts[i], i < states))}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
}

const ranIn = (lines: FunctionLines["lines"]): number =>
  lines.filter(({ count }) => count > 0).length;

function share(lines: FunctionLines["lines"]): Markup {
  const ran = ranIn(lines);
  const percent = lines.length === 0 ? 0 : (100 * ran) / lines.length;
  return html`<svg class="share" width="80" height="8" aria-hidden="true">
      <rect class="all" width="80" height="8" />
      <rect class="ran" width="${(0.8 * percent).toFixed(1)}" height="8" /></svg
    ><span>${grouped(ran)} of ${counted(lines.length, "line")} ran</span>`;
}

function functionView({ name, calls, lines }: FunctionLines): Markup {
  const called =
    calls === undefined ? "" : calls === 0 ? "never called" : `called ${counted(calls, "time")}`;
  return html`<details class="function" ${ranIn(lines) < lines.length && html`open`}>
    <summary>
      <code>${name === "" ? "outside of functions" : `${name}()`}</code>
      <span class="note">${called}</span> ${share(lines)}
    </summary>
    <pre class="lines" tabindex="0" aria-label="Lines of ${name}">
${lines.map(
        ({ number, text, count }) =>
          html`<span class="${count > 0 ? "ran" : "not-ran"}"
            ><span class="number">${number}</span
            ><span class="times">${count > 0 ? grouped(count) : "not run"}</span
            ><span>${text} </span></span
          >`,
      )}</pre>
  </details>`;
}

export function patchView({ patch, added, absent, files, unmeasured }: PatchLines): Markup {
  const all = files.flatMap(({ functions }) => functions.flatMap(({ lines }) => lines));
  return html`<p>
      <code>${patch}</code>: ${counted(added, "added line")}, of which ${grouped(all.length)} hold
      code. ${share(all)}
    </p>
    ${files.map(
      ({ name, functions }) =>
        html`<h3 class="file"><code>${name}</code></h3>
          ${functions.map(functionView)}`,
    )}
    ${unmeasured.length > 0 && html`<p class="note">Not measured: ${unmeasured.join(", ")}.</p>`}
    ${
      absent > 0 &&
      html`<p class="note">${counted(absent, "added line")} not in the source of this kernel.</p>`
    }`;
}
