/**
 * Of a name that there is none of: which was probably meant, in the words that commander has for
 * options, and which there are. Its own comparison is not for others to call.
 */
import { UsageError } from "../case/failure.ts";
import { printable } from "./terminal.ts";

/** Edits that a slip takes at most. */
const MOST_EDITS = 3;

/** Of a name and what was meant by it, so much of the longer one at least is the same. */
const LEAST_SHARE = 0.6;

/** Insertions, deletions, replacements and swaps of neighbours that make `b` of `a`. */
function editsBetween(a: string, b: string): number {
  const table = Array.from({ length: a.length + 1 }, (_, i) =>
    Array.from({ length: b.length + 1 }, (_, j) => (i === 0 ? j : j === 0 ? i : 0)),
  );
  const at = (i: number, j: number): number => table[i]![j]!;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const replaced = at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swaps = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = swaps ? at(i - 2, j - 2) + 1 : Infinity;
      table[i]![j] = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, replaced, swapped);
    }
  }
  return at(a.length, b.length);
}

/** " (Did you mean 4k-delalloc?)"; empty where nothing is near. */
export function didYouMean(name: string, known: readonly string[]): string {
  const near = known
    .map((one) => ({ one, edits: editsBetween(name, one) }))
    .filter(
      ({ one, edits }) =>
        edits <= MOST_EDITS && 1 - edits / Math.max(name.length, one.length) >= LEAST_SHARE,
    );
  const fewest = Math.min(...near.map(({ edits }) => edits));
  const best = near.flatMap(({ one, edits }) => (edits === fewest ? [one] : []));
  if (best.length === 0) return "";
  return ` (Did you mean ${best.length === 1 ? "" : "one of "}${best.join(", ")}?)`;
}

/** There is no "what" of this name, which was meant perhaps, and which there are. */
export function noSuch(what: string, name: string, known: readonly string[]): string {
  const meant = didYouMean(name, known);
  return `there is no ${what} "${printable(name)}"${meant}; there are: ${known.join(", ")}`;
}

/** Names with commas between them, each once. Throws UsageError where one of them is empty. */
export function namesIn(list: string): string[] {
  const names = list.split(",").map((name) => name.trim());
  const there = names.filter((name) => name !== "");
  if (there.length === names.length) return [...new Set(names)];
  const meant = there.length === 0 ? "" : ` (Did you mean ${printable(there.join(","))}?)`;
  throw new UsageError(
    `"${printable(list)}" has an empty name, where a comma ends or doubles${meant}`,
  );
}
