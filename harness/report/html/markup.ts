/**
 * Markup that escapes by construction: whatever is put into it is text, unless it is markup itself.
 * It serves the document as it is written and the script in it.
 */

/** Made by `html` alone. */
export class Markup {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

/** Nothing is shown of what is undefined or false. */
export type Piece = Markup | string | number | undefined | false | readonly Piece[];

const NAMED: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/**
 * What is not there to be read, but lines and tabs: control characters, and format characters such
 * as U+202E, which could reverse what is said.
 */
const UNREADABLE = /(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** `text` as it may stand in an element, or in an attribute with quotes. */
function escaped(text: string): string {
  return text.replaceAll(UNREADABLE, "?").replaceAll(/[&<>"']/g, (sign) => NAMED[sign]!);
}

function textOf(piece: Piece): string {
  if (piece === undefined || piece === false) return "";
  if (piece instanceof Markup) return String(piece);
  return typeof piece === "object" ? piece.map(textOf).join("") : escaped(String(piece));
}

/** A template of which the values are text, or markup. */
export function html(parts: TemplateStringsArray, ...values: readonly Piece[]): Markup {
  return new Markup(parts.map((part, i) => part + textOf(values[i])).join(""));
}
