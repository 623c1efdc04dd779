/**
 * Curves over the steps of a finding: what was expected as a line, what was seen as an area, red
 * where they are apart.
 */
import { html } from "./markup.ts";
import type { Markup } from "./markup.ts";
import type { Look, Step, Timeline } from "./timeline.ts";

interface Curve {
  name: string;
  /** The row of the table that says whether it differs. */
  fact: string;
  of: (look: Look) => number | undefined;
}

const CURVES: readonly Curve[] = [
  { name: "reserved", fact: "reserved", of: ({ reserved }) => reserved },
  { name: "st_blocks", fact: "st_blocks", of: ({ st_blocks }) => st_blocks },
  { name: "dirty pages", fact: "pages", of: ({ pages }) => pages?.dirty },
];

/** Units of the drawing, of which the width is that of its place. */
const HEIGHT = 40;
const HEADROOM = 3;

interface Point {
  expected: number | undefined;
  seen: number | undefined;
  differs: boolean;
}

const at = (value: number, most: number): number => HEIGHT - (value / most) * (HEIGHT - HEADROOM);

/** A line that goes on level through a step, from nothing where the file is new. */
function lineOf(values: readonly (number | undefined)[], most: number, isNew: boolean): string {
  let path = isNew ? `M0 ${HEIGHT}` : "";
  for (const [i, value] of values.entries()) {
    if (value === undefined) continue;
    const y = at(value, most).toFixed(2);
    path += `${path === "" ? "M" : "L"}${i} ${y}L${i + 1} ${y}`;
  }
  return path;
}

function areaOf({ expected, seen }: Point, i: number, most: number): Markup {
  const from = expected ?? seen ?? 0;
  const [top, bottom] = [Math.max(from, seen ?? 0), Math.min(from, seen ?? 0)];
  const y = at(top, most);
  return html`<rect class="apart" x="${i}" y="${y}" width="1" height="${at(bottom, most) - y}" />`;
}

const shown = (value: number | undefined): string => (value === undefined ? "-" : String(value));

function pointOf({ of, fact }: Curve, { expected, seen, facts }: Step): Point {
  return {
    expected: expected && of(expected),
    seen: seen && of(seen),
    differs: facts.some(({ name, differs }) => name === fact && differs),
  };
}

/** Both values where they are not the same; more st_blocks than expected need not be wrong. */
function valueText({ expected, seen, differs }: Point): Markup {
  if (expected === undefined || expected === seen) return html`<span>${shown(seen)}</span>`;
  const both = `model ${shown(expected)}, kernel ${shown(seen)}`;
  return html`<span class="${differs ? "wrong" : ""}">${both}</span>`;
}

function curveOf(curve: Curve, steps: readonly Step[], current: number): Markup {
  const points = steps.map((step) => pointOf(curve, step));
  const most = Math.max(1, ...points.flatMap(({ expected = 0, seen = 0 }) => [expected, seen]));
  const isNew = steps[0]?.index === 0;
  const apart = points.map((one, i) => (one.differs ? areaOf(one, i, most) : undefined));
  const line = (className: string, which: "expected" | "seen"): Markup => {
    const path = lineOf(
      points.map((one) => one[which]),
      most,
      isNew,
    );
    return html`<path class="${className}" d="${path}" vector-effect="non-scaling-stroke" />`;
  };
  const targets = steps.map(
    (_, i) =>
      html`<rect class="target" data-go="${i}" x="${i}" y="0" width="1" height="${HEIGHT}" />`,
  );
  return html`<figure class="curve">
    <figcaption><span>${curve.name}</span> ${valueText(points[current]!)}</figcaption>
    <svg
      viewBox="0 0 ${steps.length} ${HEIGHT + 1}"
      preserveAspectRatio="none"
      width="100%"
      height="${HEIGHT + 8}"
      aria-hidden="true"
    >
      <rect class="now" x="${current}" y="0" width="1" height="${HEIGHT + 1}" />
      ${apart} ${line("seen", "seen")} ${line("expected", "expected")} ${targets}
    </svg>
  </figure>`;
}

/** The curves, with step number `current` of the timeline marked; nothing where nobody looked. */
export function curvesOf({ steps }: Timeline, current: number): Markup | undefined {
  const known = CURVES.filter(({ of }) =>
    steps.some(({ seen }) => seen !== undefined && of(seen) !== undefined),
  );
  if (known.length === 0) return undefined;
  return html`${known.map((curve) => curveOf(curve, steps, current))}`;
}
