/**
 * Tables that fit: each column is as wide as its widest cell.
 */
import { USUAL_COLUMNS, widthOf } from "./wrap.ts";

function padded(cell: string, width: number, isLeft: boolean): string {
  const room = " ".repeat(width - widthOf(cell));
  return isLeft ? cell + room : room + cell;
}

/**
 * The lines of a table.
 *
 * @param align of each column: "l" to the left, "r" to the right
 */
export function tableOf(align: string, rows: readonly (readonly string[])[]): string[] {
  const widths = Array.from(align, (_, i) => Math.max(...rows.map((row) => widthOf(row[i] ?? ""))));
  const cells = widths.reduce((sum, width) => sum + width, 0);
  const gap = cells + 2 * (widths.length - 1) <= USUAL_COLUMNS ? "  " : " ";
  return rows.map((row) =>
    row
      .map((cell, i) => padded(cell, widths[i]!, align[i] === "l"))
      .join(gap)
      .trimEnd(),
  );
}
