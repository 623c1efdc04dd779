/**
 * The layout of a report: 100 columns, so that it survives a mailing list.
 */

export const WIDTH = 100;
export const INDENT = "  ";

/** A line that is as wide as the report at most. */
export function shortened(line: string): string {
  return line.length > WIDTH ? `${line.slice(0, WIDTH - 4)} ...` : line;
}
