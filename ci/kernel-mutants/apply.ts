/**
 * Putting a seeded bug into the text of a kernel file.
 */
import type { Mutant } from "./mutants.ts";

/** A change of one place. */
export type Edit = Pick<Mutant, "file" | "within" | "find" | "replace">;

/** The place is not there, or there is more than one. */
export class MutantError extends Error {
  override readonly name = "MutantError";
}

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);

/**
 * Begin and end of the definition of a function, which begins a line and ends with a brace that
 * does.
 */
function definitionOf(source: string, name: string): { start: number; end: number } {
  // Its name stands at the beginning of a line or after its type; a call of it is indented, a
  // declaration ends in a semicolon.
  const head = new RegExp(String.raw`^(?:\w[\w \t*]*[ \t*])?${escaped(name)}\([^;{]*\)\s*\{`, "gm");
  const found = [...source.matchAll(head)];
  if (found.length !== 1) {
    throw new MutantError(`${found.length} definitions of ${name}() instead of one`);
  }
  const start = found[0]!.index;
  const end = source.indexOf("\n}", start);
  return { start, end: end < 0 ? source.length : end };
}

/** The source with the bug in it. Throws MutantError where its place is not there exactly once. */
export function applyMutant(source: string, { within, find, replace }: Edit): string {
  const { start, end } = definitionOf(source, within);
  const body = source.slice(start, end);
  const times = body.split(find).length - 1;
  if (times !== 1) {
    throw new MutantError(`${within}() has ${times} times "${find}" instead of once`);
  }
  const at = start + body.indexOf(find);
  return source.slice(0, at) + replace + source.slice(at + find.length);
}
