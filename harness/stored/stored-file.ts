/**
 * Files of ours: JSON with its format and version in it, read as if it were hostile, written whole
 * or not at all.
 */
import { isUtf8 } from "node:buffer";
import * as fs from "node:fs";
import type * as z from "zod";
import { depthFault, repeatedKey, shapeOf } from "./json-keys.ts";
import { pathText, valueAt } from "./json-path.ts";
import { systemReason } from "./output.ts";
import { fileError, shown } from "./shown.ts";

/** Bytes of the largest file that is read: a case of the longest length has a tenth of that. */
export const MAX_FILE_BYTES = 16 * 1024 * 1024;

/** Brackets inside one another in the deepest file: a result has eight. */
const MAX_DEPTH = 32;

export interface StoredFormat<T> {
  /** What the member of that name must be. */
  format: string;
  /** The version that is read. */
  version: number;
  schema: z.ZodType<T>;
  /** Bytes of the largest file that is read; MAX_FILE_BYTES where that is not said. */
  maxBytes?: number;
  /** What is wrong with the text where its members are right; undefined where nothing is. */
  fault?: (text: string) => string | undefined;
}

function reasonOf(issue: z.core.$ZodIssue, data: unknown): string {
  const where = pathText(issue.path);
  const value = valueAt(data, issue.path);
  if (value === undefined && issue.code !== "custom") return `${where}: is missing`;
  if (issue.code === "invalid_union" && issue.path.at(-1) === "op") {
    return `${where}: there is no operation ${shown(value)}`;
  }
  const message = issue.message.replace(/^Invalid input: /, "");
  return where === "" ? message : `${where}: ${message}`;
}

/**
 * Line and column, from 1, of the position that an error of JSON.parse names; "" where it names
 * none.
 */
function placeOf(message: string, text: string): string {
  const found = /at position (\d+)/.exec(message);
  if (found === null) return "";
  const before = text.slice(0, Number(found[1]));
  const line = before.split("\n").length;
  return `line ${line}, column ${before.length - before.lastIndexOf("\n")}: `;
}

/**
 * What JSON.parse lets pass must not pass: a person who wrote a key twice meant one of the two, and
 * not always the last.
 */
function disorderIn(text: string): string | undefined {
  const tooDeep = depthFault(shapeOf(text), MAX_DEPTH);
  if (tooDeep !== undefined) return tooDeep;
  const repeated = repeatedKey(text);
  if (repeated === undefined) return undefined;
  const { line, column, name } = repeated;
  return `line ${line}, column ${column}: ${JSON.stringify(name)} is there twice`;
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const place = placeOf(message, text);
    const ended = place === "" && message.includes("end of JSON");
    const reason = ended ? "the file ends in the middle" : message.replace(/ at position .*$/s, "");
    throw fileError(name, `${place}not JSON: ${reason}`);
  }
}

/**
 * What `text` holds, of this format.
 *
 * @param name what messages call it: the path of the file
 * @throws UsageError with one line
 */
export function parseStored<T>(
  text: string,
  name: string,
  { format, version: known, schema, fault }: StoredFormat<T>,
): T {
  const data = parseJson(text, name);
  if (valueAt(data, ["format"]) !== format) {
    throw fileError(name, `is not an ${format}: format is not "${format}"`);
  }
  const version = valueAt(data, ["version"]);
  if (version !== known) {
    const has = version === undefined ? "no version" : `version ${shown(version)}`;
    throw fileError(name, `has ${has}; this program reads version ${known}`);
  }
  const parsed = schema.safeParse(data);
  if (!parsed.success) throw fileError(name, reasonOf(parsed.error.issues[0]!, data));
  const reason = disorderIn(text) ?? fault?.(text);
  if (reason !== undefined) throw fileError(name, reason);
  return parsed.data;
}

/** The bytes of a regular file of at most `maxBytes`. */
function readBounded(path: string, maxBytes: number): Buffer {
  // O_NONBLOCK: opening a FIFO that nobody writes to would wait for ever.
  const fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  try {
    const stat = fs.fstatSync(fd);
    if (!stat.isFile()) throw fileError(path, "is not a regular file");
    if (stat.size > maxBytes) {
      throw fileError(path, `has ${stat.size} bytes, more than ${maxBytes}`);
    }
    return fs.readFileSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/** What a file of ours says that it is, whatever else is in it; undefined of any other. */
export function formatOf(path: string): string | undefined {
  try {
    const data: unknown = JSON.parse(readBounded(path, MAX_FILE_BYTES).toString("utf8"));
    const format = valueAt(data, ["format"]);
    return typeof format === "string" && format.startsWith("ext4-conform ") ? format : undefined;
  } catch {
    return undefined;
  }
}

/** Read a file of this format. @throws UsageError with one line, whatever it holds */
export function readStored<T>(path: string, stored: StoredFormat<T>): T {
  let bytes: Buffer;
  try {
    bytes = readBounded(path, stored.maxBytes ?? MAX_FILE_BYTES);
  } catch (error) {
    const reason = systemReason(error);
    throw reason === undefined ? error : fileError(path, `cannot be read: ${reason}`);
  }
  if (!isUtf8(bytes)) throw fileError(path, "is not UTF-8 text");
  // Which leaves out a byte order mark.
  return parseStored(new TextDecoder().decode(bytes), path, stored);
}
