/**
 * A checksum at the end of a JSON object, for files that nobody edits and in which a changed
 * character may look as right as the one before: of driven edges, one for another is a case that is
 * never run.
 */
import { createHash } from "node:crypto";

const BEFORE = ',"sha256":"';
const AFTER = '"}\n';
const DIGITS = 64;

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/**
 * The JSON of a value with members, on one line, and with the SHA-256 of all that stands before it
 * as its last member.
 */
export function withChecksum(value: object): string {
  const text = JSON.stringify(value).slice(0, -1);
  return `${text}${BEFORE}${sha256(text)}${AFTER}`;
}

/** What is wrong with a text that `withChecksum` should have made; undefined where nothing is. */
export function checksumFault(text: string): string | undefined {
  const end = text.length - AFTER.length - DIGITS - BEFORE.length;
  const before = text.slice(0, Math.max(0, end));
  if (text === `${before}${BEFORE}${sha256(before)}${AFTER}`) return undefined;
  return "is damaged, or was edited: its checksum (sha256) is not that of what it holds";
}
