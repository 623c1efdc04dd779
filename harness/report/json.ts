/**
 * The outcome as JSON: all of it. docs/schemas/outcome.json says what it holds.
 */
import type { Outcome } from "./outcome.ts";

/** All that a terminal would obey and JSON has no need to write as an escape. */
const UNREADABLE = /[\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{NChar}\u007f-\u009f]/gu;

function escaped(text: string): string {
  const units = Array.from({ length: text.length }, (_, i) => text.charCodeAt(i));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
}

/** JSON of `value` that a terminal can show, which holds every character of it all the same. */
export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2).replaceAll(UNREADABLE, escaped)}\n`;
}

export const json = (outcome: Outcome): string => jsonText(outcome);
