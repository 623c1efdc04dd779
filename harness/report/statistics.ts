/**
 * Statistics as a table: kinds of operations down, states of their blocks across.
 */
import { CLAMPED, STATES } from "../lockstep/statistics.ts";
import type { Statistics } from "../lockstep/statistics.ts";
import { grouped } from "../text/numbers.ts";

const NAME = 24;
const CELL = 10;

const row = (name: string, cells: readonly string[]): string =>
  [name.padEnd(NAME), ...cells.map((cell) => cell.padStart(CELL))].join(" ").trimEnd();

const countText = (count = 0): string => (count === 0 ? "-" : grouped(count));

/** A row for each kind of which something was counted in one of the columns. */
function table(statistics: Statistics, title: string, columns: readonly string[]): string[] {
  const counted = Object.keys(statistics).map((key) => key.split("|") as [string, string]);
  const kinds = counted.flatMap(([kind, column]) => (columns.includes(column) ? [kind] : []));
  const lines = [...new Set(kinds)].toSorted().map((kind) => {
    const counts = columns.map((column) => statistics[`${kind}|${column}`]);
    return row(kind, counts.map(countText));
  });
  return [row(title, columns), ...lines];
}

/** Lines ending in "\n"; "-" for what was never met. */
export function statisticsText(statistics: Statistics): string {
  const met = table(statistics, "what was met", STATES);
  const clamped = table(statistics, "not done as it stood", CLAMPED);
  return [...met, ...(clamped.length > 1 ? ["", ...clamped] : []), ""].join("\n");
}
