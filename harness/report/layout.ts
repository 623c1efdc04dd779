/**
 * The layout of a report: 100 columns, so that it survives a mailing list.
 */

import { printable, wrap } from "../text/terminal.ts";

export const WIDTH = 100;
export const INDENT = "  ";

/** Text as lines of the report. */
export const indented = (text: string): string[] =>
  wrap(printable(text), WIDTH - INDENT.length).map((line) => INDENT + line);

/** A line that is as wide as the report at most. */
export function shortened(line: string): string {
  return line.length > WIDTH ? `${line.slice(0, WIDTH - 4)} ...` : line;
}
