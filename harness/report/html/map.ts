/**
 * The map of a step: the blocks of the file as the model has them and as the kernel shows them, one
 * above the other, below what the operation was about.
 *
 * Places are shares of the width, so that the map fits wherever it is shown; no style depends on
 * colour alone.
 */
import { describePages } from "../../case/observation.ts";
import type { Axis, Column } from "./axis.ts";
import { placeOf, stateAt } from "./axis.ts";
import { html } from "./markup.ts";
import type { Markup } from "./markup.ts";
import { extentText } from "../../text/block-map.ts";
import type { Look, Step, Timeline, Touched } from "./timeline.ts";

/** Pixels. */
const ROW = 24;
const THIN_ROW = 15;

interface Drawn {
  axis: Axis;
  blockSize: number;
}

type State = ReturnType<typeof stateAt>;

/** Neighbouring columns of which one thing is so. */
interface Run<T> {
  from: number;
  end: number;
  is: T;
}

function runsOf<T>(columns: readonly Column[], what: (column: Column) => T): Run<T>[] {
  const runs: Run<T>[] = [];
  for (const [i, column] of columns.entries()) {
    const is = what(column);
    const last = runs.at(-1);
    if (last?.is === is) last.end = i + 1;
    else runs.push({ from: i, end: i + 1, is });
  }
  return runs;
}

const share = (columns: number, { axis }: Drawn): string =>
  `${((100 * columns) / axis.columns.length).toFixed(3)}%`;

function bar(className: string, from: number, end: number, y: number, height: number, on: Drawn) {
  return html`<rect
    class="${className}"
    x="${share(from, on)}"
    y="${y}"
    width="${share(end - from, on)}"
    height="${height}"
  />`;
}

const line = (className: string, x: string, from: number, end: number): Markup =>
  html`<line class="${className}" x1="${x}" x2="${x}" y1="${from}" y2="${end}" />`;

const row = (label: string, height: number, drawn: readonly Markup[]): Markup =>
  html`<div class="map-row">
    <span class="map-label">${label}</span>
    <svg class="track" aria-hidden="true" width="100%" height="${height}">${drawn}</svg>
  </div>`;

/**
 * Characters that a number over a column may have room for where the map is narrowest, a column.
 */
const DIGITS_A_COLUMN = 0.9;

/** Numbers of blocks, as many as there is room for: where something begins, then every eighth. */
function ruler(on: Drawn): Markup {
  const { columns } = on.axis;
  const taken: { from: number; end: number }[] = [];
  const place = (at: number): void => {
    const width = (String(columns[at]!.lblk).length + 1) / DIGITS_A_COLUMN;
    const end = at + width;
    if (taken.some((one) => at < one.end && end > one.from)) return;
    if (at + width - 1 > columns.length) return;
    taken.push({ from: at, end });
  };
  const afterGap = columns.flatMap((_, i) => (i > 0 && columns[i - 1]!.len > 1 ? [i] : []));
  const eighth = columns.flatMap(({ lblk, len }, i) => (len === 1 && lblk % 8 === 0 ? [i] : []));
  const fourth = columns.flatMap(({ lblk, len }, i) => (len === 1 && lblk % 4 === 0 ? [i] : []));
  for (const at of [0, ...afterGap, ...eighth, ...fourth]) place(at);
  const numbers = taken.map(
    ({ from }) =>
      html`<text class="number" x="${share(from, on)}" y="10">${columns[from]!.lblk}</text>`,
  );
  return row("block", THIN_ROW, numbers);
}

/** What an operation names: what it could reach, and what of its buffer was missing. */
function touchedRow(touched: Touched, on: Drawn): Markup {
  if (touched.len === 0) return row(touched.label, THIN_ROW, []);
  const { pos, len, readable = len } = touched;
  const [from, middle, end] = [pos, pos + readable, pos + len].map((byte) =>
    placeOf(byte, on.blockSize, on.axis.columns),
  ) as [number, number, number];
  return row(touched.label, THIN_ROW, [
    ...(readable > 0 ? [bar("reached", from, middle, 4, 7, on)] : []),
    ...(readable < len ? [bar("missing", middle, end, 4, 7, on)] : []),
  ]);
}

function statesRow(label: string, look: Look, differs: readonly Run<boolean>[], on: Drawn): Markup {
  const { columns } = on.axis;
  const runs = runsOf<State>(columns, ({ lblk }) => stateAt(look.map, lblk));
  const blocks = runs.filter(({ is }) => is !== "hole");
  const separators = blocks.flatMap(({ from, end }) =>
    Array.from({ length: end - from - 1 }, (_, i) => share(from + i + 1, on)),
  );
  const eof = share(placeOf(look.i_size, on.blockSize, columns), on);
  return row(label, ROW, [
    html`<line class="nothing" x1="0" x2="100%" y1="${ROW / 2}" y2="${ROW / 2}" />`,
    ...blocks.map(({ from, end, is }) => bar(`state ${is}`, from, end, 2, ROW - 4, on)),
    ...separators.map((x) => line("edge", x, 2, ROW - 2)),
    ...columns.flatMap(({ len }, i) =>
      len === 1 ? [] : [i + 0.35, i + 0.65].map((at) => line("left-out", share(at, on), 0, ROW)),
    ),
    ...differs.map(({ from, end }) => bar("differs", from, end, 1, ROW - 2, on)),
    line("eof", eof, 0, ROW),
  ]);
}

/** Extents that are told in words. */
const MOST_EXTENTS = 12;

/** A map in words: "0 written, 1-3 delayed, EOF at byte 12288". */
function mapWords({ map, i_size }: Look): string {
  const more = map.length - MOST_EXTENTS;
  const extents = [
    ...map.slice(0, MOST_EXTENTS).map(extentText),
    ...(more > 0 ? [`${more} more extents`] : []),
  ];
  return `${extents.join(", ") || "no blocks"}, EOF at byte ${i_size}`;
}

function words({ expected, seen }: Step): string {
  return [
    ...(expected === undefined ? [] : [`Expected: ${mapWords(expected)}.`]),
    ...(seen === undefined ? [] : [`Seen: ${mapWords(seen)}.`]),
  ].join(" ");
}

/** Runs of columns on which the maps disagree; none where there is nothing to disagree with. */
function differences({ expected, seen }: Step, { axis }: Drawn): Run<boolean>[] {
  if (expected === undefined || seen === undefined) return [];
  const differs = ({ lblk }: Column): boolean =>
    stateAt(expected.map, lblk) !== stateAt(seen.map, lblk);
  return runsOf(axis.columns, differs).filter(({ is }) => is);
}

/** Pages that are drawn one by one; of more of them the share. */
const MOST_PAGES = 24;
const PAGE = 11;

function pagesRow(label: string, { pages }: Look): Markup | undefined {
  if (pages === undefined) return undefined;
  const { cached, dirty } = pages;
  const shown = Math.min(cached, MOST_PAGES);
  const filled = cached > shown ? Math.ceil((dirty / cached) * shown) : dirty;
  const squares = Array.from(
    { length: shown },
    (_, i) =>
      html`<rect
        class="${i < filled ? "page dirty" : "page"}"
        x="${i * PAGE + 1}"
        y="3"
        width="${PAGE - 3}"
        height="${PAGE - 3}"
      />`,
  );
  return html`<div class="pages-row">
    <span class="map-label">${label}</span>
    <span>
      <svg width="${Math.max(1, shown * PAGE)}" height="${PAGE + 3}">${squares}</svg>
      <span class="count">${describePages(pages)}${cached > shown && ", drawn to scale"}</span>
    </span>
  </div>`;
}

/** The map of a step; nothing where nobody looked. */
export function mapOf(step: Step, { blockSize }: Timeline, axis: Axis): Markup | undefined {
  const { expected, seen, touched } = step;
  if (expected === undefined && seen === undefined) return undefined;
  const on = { axis, blockSize };
  const differs = differences(step, on);
  const pages = [expected && pagesRow("model", expected), seen && pagesRow("kernel", seen)];
  return html`<div class="map" role="img" aria-label="${words(step)}">
      ${ruler(on)} ${touchedRow(touched, on)} ${expected && statesRow("model", expected, [], on)}
      ${seen && statesRow("kernel", seen, differs, on)}
    </div>
    ${axis.cut && html`<p class="note">Blocks far from the first difference are not shown.</p>`}
    ${
      pages.some((one) => one !== undefined) &&
      html`<div class="pages" aria-hidden="true">
        <span class="pages-title">page cache</span>${pages}
      </div>`
    }`;
}
