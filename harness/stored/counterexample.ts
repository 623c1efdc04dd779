/**
 * Counterexample files: JSON that people read, diff, edit and mail to one another.
 *
 * What is read may be damaged, edited by hand, or hostile. Whatever it holds, the answer is a Counterexample or a
 * UsageError of one line that names the file, the place in it, and the reason.
 */
import * as fs from "node:fs";
import * as z from "zod";
import { type Divergence, divergenceKindSchema } from "../divergence.ts";
import { UsageError } from "../failure.ts";
import { pathText, valueAt } from "../json-path.ts";
import { MAX_OPERATIONS, operationsSchema } from "../operation.ts";
import { printable } from "../report/terminal.ts";
import { variants } from "../../images/variants.ts";
import { foreignVariantSchema } from "./foreign-variant.ts";

/** Bytes of the largest file that is read: a case of the longest length has a tenth of that. */
export const MAX_FILE_BYTES = 16 * 1024 * 1024;

const FORMAT = "ext4-conform counterexample";
const VERSION = 1;

/** Characters of the longest message. */
const MAX_MESSAGE = 10_000;

/** A variant by its name, if it is one. */
function variantOf(value: unknown, context: z.RefinementCtx): unknown {
  if (typeof value !== "string") return value;
  const variant = variants.find(({ name }) => name === value);
  if (variant !== undefined) return variant;
  context.addIssue({
    code: "custom",
    message: `is none of ${variants.map((v) => v.name).join(", ")}`,
  });
  return z.NEVER;
}

export const counterexampleSchema = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  /** What it shows, in a sentence; absent in what the tool wrote by itself. */
  claim: z.string().max(2000).optional(),
  /** When it was found, ISO 8601. */
  found: z.union([z.iso.date(), z.iso.datetime({ offset: true })]).optional(),
  /** Seed of the run that found it; absent where nobody generated it. */
  seed: z.int().optional(),
  kernel: z
    .strictObject({
      /** As in uname -r. */
      release: z.string().max(200),
      path: z.enum(["buffer_head", "iomap"]),
    })
    .optional(),
  /**
   * What was found, in short; absent in what a person wrote. Step was an index in operations, before somebody took
   * one out.
   */
  divergence: z
    .strictObject({
      step: z.int().min(0),
      kind: divergenceKindSchema,
      message: z.string().max(MAX_MESSAGE),
    })
    .optional(),
  /** All of it, so that the file outlives changes of images/variants.ts; or, in what a person wrote, its name. */
  variant: z.preprocess(variantOf, foreignVariantSchema),
  operations: operationsSchema.min(1),
});

export type Counterexample = z.infer<typeof counterexampleSchema>;

/**
 * The counterexample that a divergence is: operations after its step are not part of it. What is too long for a file (a
 * list of a thousand extents, the operations of a hundred cases together) is cut.
 */
export function counterexampleOf(
  found: Pick<Divergence, "step" | "kind" | "message" | "operations">,
  facts: Pick<Counterexample, "variant" | "kernel" | "seed" | "found" | "claim">,
): Counterexample {
  const { step, kind, message, operations } = found;
  const kept = operations.slice(0, step + 1).slice(-MAX_OPERATIONS);
  return {
    format: FORMAT,
    version: VERSION,
    ...facts,
    divergence: { step: kept.length - 1, kind, message: message.slice(0, MAX_MESSAGE) },
    operations: kept,
  };
}

function short(text: string): string {
  const clean = printable(text);
  return clean.length > 200 ? `${clean.slice(0, 197)}...` : clean;
}

/** One line for a place in a file and a reason. */
function usageError(name: string, reason: string): UsageError {
  return new UsageError(`${printable(name)}: ${short(reason)}`);
}

function reasonOf(issue: z.core.$ZodIssue, data: unknown): string {
  const where = pathText(issue.path);
  const value = valueAt(data, issue.path);
  if (value === undefined && issue.code !== "custom") return `${where}: is missing`;
  if (issue.code === "invalid_union" && issue.path.at(-1) === "op") {
    return `${where}: there is no operation ${JSON.stringify(value)}`;
  }
  const message = issue.message.replace(/^Invalid input: /, "");
  return where === "" ? message : `${where}: ${message}`;
}

/** Line and column, from 1, of the position that an error of JSON.parse names; "" where it names none. */
function placeOf(message: string, text: string): string {
  const found = /at position (\d+)/.exec(message);
  if (found === null) return "";
  const before = text.slice(0, Number(found[1]));
  const line = before.split("\n").length;
  return `line ${line}, column ${before.length - before.lastIndexOf("\n")}: `;
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const place = placeOf(message, text);
    const ended = place === "" && message.includes("end of JSON");
    const reason = ended ? "the file ends in the middle" : message.replace(/ at position .*$/s, "");
    throw usageError(name, `${place}not JSON: ${reason}`);
  }
}

/**
 * The counterexample that `text` holds.
 *
 * @param name what messages call it: the path of the file
 * @throws UsageError with one line
 */
export function parseCounterexample(text: string, name: string): Counterexample {
  const data = parseJson(text, name);
  if (valueAt(data, ["format"]) !== FORMAT) {
    throw usageError(name, `is not an ${FORMAT}: format is not "${FORMAT}"`);
  }
  const version = valueAt(data, ["version"]);
  if (version !== VERSION) {
    const has = version === undefined ? "no version" : `version ${JSON.stringify(version)}`;
    throw usageError(name, `has ${has}; this program reads version ${VERSION}`);
  }
  const parsed = counterexampleSchema.safeParse(data);
  if (parsed.success) return parsed.data;
  throw usageError(name, reasonOf(parsed.error.issues[0]!, data));
}

/** The bytes of a regular file of at most MAX_FILE_BYTES. */
function readBounded(path: string): Buffer {
  // O_NONBLOCK: opening a FIFO that nobody writes to would wait for ever.
  const fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  try {
    const stat = fs.fstatSync(fd);
    if (!stat.isFile()) throw usageError(path, "is not a regular file");
    if (stat.size > MAX_FILE_BYTES) {
      throw usageError(path, `has ${stat.size} bytes, more than ${MAX_FILE_BYTES}`);
    }
    const bytes = Buffer.alloc(stat.size);
    let length = 0;
    while (length < bytes.length) {
      const count = fs.readSync(fd, bytes, length, bytes.length - length, length);
      if (count === 0) break;
      length += count;
    }
    return bytes.subarray(0, length);
  } finally {
    fs.closeSync(fd);
  }
}

function decode(bytes: Buffer, name: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw usageError(name, "is not UTF-8 text");
  }
}

/** An error of the file system as one line. */
function fileError(path: string, verb: string, error: unknown): unknown {
  if (!(error instanceof Error) || !("code" in error)) return error;
  const reasons: Record<string, string> = {
    ENOENT: "there is no such file or directory",
    EACCES: "permission denied",
    EISDIR: "is a directory",
    ENOTDIR: "a part of the path is no directory",
    ENOSPC: "no space left on the device",
    EROFS: "the file system is read-only",
  };
  const code = String(error.code);
  return usageError(path, `cannot be ${verb}: ${reasons[code] ?? code}`);
}

/** Read a counterexample. @throws UsageError with one line, whatever the file holds */
export function readCounterexample(path: string): Counterexample {
  let bytes: Buffer;
  try {
    bytes = readBounded(path);
  } catch (error) {
    throw fileError(path, "read", error);
  }
  return parseCounterexample(decode(bytes, path), path);
}

/** JSON on one line, with spaces where a person would put them. */
function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).flatMap(([key, member]) =>
    member === undefined ? [] : [`${JSON.stringify(key)}: ${inline(member)}`],
  );
  return `{ ${members.join(", ")} }`;
}

/**
 * The text of a counterexample file: one operation a line, so that it reads and diffs well. Members are in the order of
 * the schema whoever made the value.
 *
 * @throws ZodError where the value is one that could not be read again: a mistake of the caller
 */
export function formatCounterexample(counterexample: Counterexample): string {
  const ordered = counterexampleSchema.parse(counterexample);
  const { operations, variant, divergence, kernel, ...scalars } = ordered;
  const block = (value: object): string =>
    Object.entries(value)
      .map(([key, member]) => `    ${JSON.stringify(key)}: ${inline(member)}`)
      .join(",\n");
  const members = Object.entries(scalars).flatMap(([key, value]) =>
    value === undefined ? [] : [`  ${JSON.stringify(key)}: ${inline(value)}`],
  );
  members.push(
    ...(kernel === undefined ? [] : [`  "kernel": ${inline(kernel)}`]),
    ...(divergence === undefined ? [] : [`  "divergence": {\n${block(divergence)}\n  }`]),
    `  "variant": {\n${block(variant)}\n  }`,
    `  "operations": [\n${operations.map((o) => `    ${inline(o)}`).join(",\n")}\n  ]`,
  );
  return `{\n${members.join(",\n")}\n}\n`;
}

function removeQuietly(path: string): void {
  try {
    fs.rmSync(path, { force: true });
  } catch {
    // What kept it from being written keeps it from being removed.
  }
}

/**
 * Write a counterexample: the whole file or, where that fails, none of it.
 *
 * @throws UsageError with one line where the path cannot be written
 */
export function writeCounterexample(path: string, counterexample: Counterexample): void {
  const text = formatCounterexample(counterexample);
  const unfinished = `${path}.${process.pid}.tmp`;
  try {
    fs.writeFileSync(unfinished, text, { flag: "wx" });
    fs.renameSync(unfinished, path);
  } catch (error) {
    removeQuietly(unfinished);
    throw fileError(path, "written", error);
  }
}
