/**
 * Statistics as a table: kinds of operations down, states of their blocks across.
 */
import { STATES } from "../lockstep/statistics.ts";
import type { Statistics } from "../lockstep/statistics.ts";
import { grouped } from "./progress.ts";

const NAME = 24;
const CELL = 10;

const row = (name: string, cells: readonly string[]): string =>
  [name.padEnd(NAME), ...cells.map((cell) => cell.padStart(CELL))].join(" ").trimEnd();

/** Lines ending in "\n"; "-" for what was never met. */
export function statisticsText(statistics: Statistics): string {
  const kinds = [...new Set(Object.keys(statistics).map((key) => key.split("|")[0]!))].toSorted();
  const lines = kinds.map((kind) => {
    const counts = STATES.map((state) => statistics[`${kind}|${state}`] ?? 0);
    return row(
      kind,
      counts.map((count) => (count === 0 ? "-" : grouped(count))),
    );
  });
  return [row("what was met", STATES), ...lines, ""].join("\n");
}
