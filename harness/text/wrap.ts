/**
 * Text in lines that fit: the one place that breaks them.
 *
 * Help is wrapped by commander, whose method for it belongs to its class for help: what other
 * programs import (harness/library) prints reports, and is not to load a parser of command lines.
 */
import { stripVTControlCharacters } from "node:util";

/** Columns of text that nobody's terminal limits: a pipe, a file, a mail. */
export const USUAL_COLUMNS = 80;

/** Of text that a manual takes as it is, and sets in. */
export const MANUAL_COLUMNS = 72;

/** Longer lines are hard to read, however wide the terminal is. */
const MOST_COLUMNS = 100;

/** Of a narrower terminal each line would hold a word or two. */
const LEAST_COLUMNS = 40;

/** Columns of what is written to `stream`. A terminal that does not know its width says 0. */
export function columnsOf({ isTTY, columns }: { isTTY?: boolean; columns?: number }): number {
  if (isTTY !== true || columns === undefined || columns === 0) return USUAL_COLUMNS;
  return Math.max(LEAST_COLUMNS, Math.min(MOST_COLUMNS, columns));
}

/** Columns of a text, colours left out. */
export const widthOf = (text: string): number => stripVTControlCharacters(text).length;

/** Between facts, between calls and clauses, between words. */
const FINER = ["   ", "; ", " "] as const;

/**
 * Lines of at most `width` characters, broken between words; a word that is longer has a line to
 * itself.
 *
 * @param separators where to break, what is preferred first
 */
export function wrap(
  text: string,
  width: number,
  [separator = " ", ...finer]: readonly string[] = [" "],
): string[] {
  const lines: string[] = [];
  let line = "";
  const parts = text.split(separator);
  // What of the separator is more than room stays with the line that it ends.
  const kept = separator.trimEnd();
  for (const [i, plain] of parts.entries()) {
    const part = i === parts.length - 1 ? plain : plain + kept;
    const longer = line === "" ? part : line + separator.slice(kept.length) + part;
    if (widthOf(longer) <= width) {
      line = longer;
      continue;
    }
    if (line !== "") lines.push(line.trimEnd());
    const pieces = finer.length === 0 ? [part] : wrap(part, width, finer);
    line = pieces.pop() ?? "";
    lines.push(...pieces);
  }
  if (line !== "") lines.push(line);
  return lines;
}

/** A line that is a command to be copied, with what is said before it. */
const COMMAND =
  /^( *)((?:[^:]* )?[^: ]+: )?((?:\S*node \S*ext4-conform\.js|ext4-conform [a-z]|sudo |apt-get |modprobe |usermod |export ).*)$/;

/** A line that is too long: where it is broken it goes on a little further in. */
function fittedLine(line: string, columns: number): string {
  const [, indent = "", label, command] = COMMAND.exec(stripVTControlCharacters(line)) ?? [];
  if (command !== undefined) {
    return label === undefined ? line : `${indent}${label.trimEnd()}\n${indent}  ${command}`;
  }
  const start = / */.exec(line)![0];
  const lines = wrap(line.slice(start.length), columns - start.length - 2, FINER);
  return lines.map((one, i) => `${start}${i === 0 ? "" : "  "}${one}`).join("\n");
}

/**
 * `text` with its lines broken where they are longer than `columns`. Commands are not, since they
 * are there to be copied: such a one has a line to itself.
 */
export function fitted(text: string, columns: number): string {
  return text
    .split("\n")
    .map((line) => (widthOf(line) <= columns ? line : fittedLine(line, columns)))
    .join("\n");
}

/** What is told of `term`, beside it, in lines that go on below where it began. */
export function beside(term: string, width: number, text: string, columns: number): string {
  const start = `  ${term.padEnd(width)}  `;
  return wrap(text, columns - start.length)
    .map((line, i) => (i === 0 ? start : " ".repeat(start.length)) + line)
    .join("\n");
}
