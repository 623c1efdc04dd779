/**
 * What is wrong with a file, in one line that names it, the line in it, the field, and the reason.
 */
import { UsageError } from "../case/failure.ts";
import { printable } from "../text/terminal.ts";

/** Characters of a value, and of a whole reason, that are shown. */
const MAX_VALUE = 40;
const MAX_REASON = 300;

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 3)}...` : text;
}

/** A value as a message shows it. */
export function shown(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "an object";
  // JSON has no word for what 1e999 becomes, nor for what is missing.
  const plain = typeof value === "number" || value === undefined;
  return cut(plain ? String(value) : JSON.stringify(value), MAX_VALUE);
}

/** A name out of a file as a message shows it. */
export function shownName(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? cut(name, MAX_VALUE) : shown(name);
}

/** A file as a message names it: one without a name is seen to have none. */
function shownFile(file: string): string {
  return file === "" ? '""' : printable(file);
}

/** @param line from 1 */
export function lineError(file: string, line: number, reason: string): UsageError {
  return new UsageError(`${shownFile(file)}: line ${line}: ${printable(cut(reason, MAX_REASON))}`);
}

/** What is wrong with the file as a whole. */
export function fileError(file: string, reason: string): UsageError {
  return new UsageError(`${shownFile(file)}: ${printable(cut(reason, MAX_REASON))}`);
}
