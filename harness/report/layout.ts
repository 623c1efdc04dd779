/**
 * The layout of a report: 80 columns whatever the terminal has, since it is stored, mailed and
 * quoted.
 */

import { printable } from "../text/terminal.ts";
import { USUAL_COLUMNS, wrap } from "../text/wrap.ts";

export const WIDTH = USUAL_COLUMNS;
export const INDENT = "  ";

/** Text as lines of the report. */
export const indented = (text: string, width = WIDTH): string[] =>
  wrap(printable(text), width - INDENT.length).map((line) => INDENT + line);

/** A line that is as wide as the report at most. */
export function shortened(line: string): string {
  return line.length > WIDTH ? `${line.slice(0, WIDTH - 4)} ...` : line;
}
