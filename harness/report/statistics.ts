/**
 * Statistics as a table: kinds of operations down, states of their blocks across.
 */
import { CLAMPED, DEPTHS, ON_DISK, STATES, TREES } from "../lockstep/statistics.ts";
import type { Statistics } from "../lockstep/statistics.ts";
import { grouped } from "../text/numbers.ts";
import { tableOf } from "../text/table.ts";

/** The tables that statistics are shown as, each with its columns. */
export const TABLES = [
  { title: "what was met", columns: STATES },
  { title: "how deep in a case", columns: DEPTHS },
  { title: "with an extent tree of", columns: TREES },
  { title: "extent trees", columns: ON_DISK },
  { title: "not done as it stood", columns: CLAMPED },
] as const;

/** Counts of a table, a row for each kind of which something was counted in one of the columns. */
export function countsIn(
  statistics: Statistics,
  columns: readonly string[],
): { kind: string; counts: (number | undefined)[] }[] {
  const counted = Object.keys(statistics).map((key) => key.split("|") as [string, string]);
  const kinds = counted.flatMap(([kind, column]) => (columns.includes(column) ? [kind] : []));
  return [...new Set(kinds)].toSorted().map((kind) => ({
    kind,
    counts: columns.map((column) => statistics[`${kind}|${column}`]),
  }));
}

const countText = (count = 0): string => (count === 0 ? "-" : grouped(count));

function table(
  statistics: Statistics,
  { title, columns }: { title: string; columns: readonly string[] },
): string[] {
  const rows = countsIn(statistics, columns).map(({ kind, counts }) => [
    kind,
    ...counts.map(countText),
  ]);
  return tableOf(`l${"r".repeat(columns.length)}`, [[title, ...columns], ...rows]);
}

/** Lines ending in "\n"; "-" for what was never met. */
export function statisticsText(statistics: Statistics): string {
  const [met, ...others] = TABLES.map((one) => table(statistics, one));
  const more = others.filter(({ length }) => length > 1);
  return [...met!, ...more.flatMap((lines) => ["", ...lines]), ""].join("\n");
}
