/**
 * Markdown for the documents that are made from the code.
 */

/** A cell of a table: one line, without anything that would end it. */
const cell = (text: string): string => text.replaceAll("\n", " ").replaceAll("|", "\\|");

const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(" | ")} |`;

/** A table, of rows of as many cells as there are heads. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  return [line(heads), line(heads.map(() => "---")), ...rows.map(line)].join("\n");
}

/** A fenced block. */
export const fenced = (text: string, language = ""): string =>
  `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;

/** Each as code, commas between them. */
export const codes = (words: readonly string[]): string =>
  words.map((word) => `\`${word}\``).join(", ");

/** What tells a reader of the source where it comes from. */
export const GENERATED = "<!-- Made from the code: npm run documents -->";

/** Parts of a document, with an empty line between them. */
export const joined = (...parts: readonly string[]): string =>
  `${parts.filter((part) => part !== "").join("\n\n")}\n`;
