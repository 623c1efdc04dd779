/**
 * Counterexample files: JSON that people read, diff, edit and mail to one another.
 *
 * What is read may be damaged, edited by hand, or hostile. Whatever it holds, the answer is a
 * Counterexample or a UsageError of one line that names the file, the place in it, and the reason.
 */
import { existsSync } from "node:fs";
import * as z from "zod";
import { UsageError } from "../case/failure.ts";
import { fileWord, ownCommand } from "../host/own-command.ts";
import { divergenceKindSchema, earlierCasesSchema } from "../finding/divergence.ts";
import type { Divergence } from "../finding/divergence.ts";
import { MAX_OPERATIONS, someOperationsSchema } from "../operations/operation.ts";
import { withFilesAndStep } from "../operations/without-files.ts";
import { findVariant, variants } from "../../images/variants.ts";
import { foreignVariantSchema } from "./foreign-variant.ts";
import { writeOutput } from "./output.ts";
import { fileError } from "./shown.ts";
import { parseStored, readStored } from "./stored-file.ts";

/** What every counterexample says that it is. */
export const COUNTEREXAMPLE = "ext4-conform counterexample";

const head = { format: COUNTEREXAMPLE, version: 1 } as const;

/** Characters of the longest message. */
const MAX_MESSAGE = 10_000;

/** A variant by its name, if it is one. */
function variantOf(value: unknown, context: z.RefinementCtx): unknown {
  if (typeof value !== "string") return value;
  const variant = findVariant(value);
  if (variant !== undefined) return variant;
  context.addIssue({
    code: "custom",
    message: `is none of ${variants.map((v) => v.name).join(", ")}`,
  });
  return z.NEVER;
}

export const counterexampleSchema = z.strictObject({
  format: z.literal(head.format),
  version: z.literal(head.version),
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
   * What was found, in short; absent in what a person wrote. Step was an index in operations,
   * before somebody took one out.
   */
  divergence: z
    .strictObject({
      step: z.int().min(0),
      kind: divergenceKindSchema,
      message: z.string().max(MAX_MESSAGE),
    })
    .optional(),
  /**
   * All of it, so that the file outlives changes of images/variants.ts; or, in what a person wrote,
   * its name.
   */
  variant: z.preprocess(variantOf, foreignVariantSchema),
  /** Cases that come before it on the same file system, where it takes them. */
  before: earlierCasesSchema.optional(),
  operations: someOperationsSchema,
});

export type Counterexample = z.infer<typeof counterexampleSchema>;

const stored = { ...head, schema: z.preprocess(withFilesAndStep, counterexampleSchema) };

/**
 * The counterexample that `text` holds.
 *
 * @param name what messages call it: the path of the file
 * @throws UsageError with one line
 */
export const parseCounterexample = (text: string, name: string): Counterexample =>
  parseStored(text, name, stored);

/** How the name of a recording ends (trace/packing.ts). */
const RECORDING = /\.jsonl(?:\.(?:br|gz))?$/i;

/** Read a counterexample. @throws UsageError with one line, whatever the file holds */
export function readCounterexample(path: string): Counterexample {
  try {
    return readStored(path, stored);
  } catch (error) {
    if (!(error instanceof UsageError) || !RECORDING.test(path) || !existsSync(path)) throw error;
    const command = ownCommand(["trace", "check", fileWord(path)]);
    throw fileError(path, `is a recording by its name, and no case; to check it: ${command}`);
  }
}

/** The claim of what known deviations explain, by their ids; none where none do. */
export const knownClaim = (named: readonly string[]): Pick<Counterexample, "claim"> =>
  named.length > 0 ? { claim: `Known: ${named.join(", ")}` } : {};

/**
 * The counterexample that a divergence is: operations after its step are not part of it. What is
 * too long for a file (a list of a thousand extents, the operations of a hundred cases together) is
 * cut.
 */
export function counterexampleOf(
  found: Pick<Divergence, "step" | "kind" | "message" | "operations" | "before">,
  facts: Pick<Counterexample, "variant" | "kernel" | "seed" | "found" | "claim">,
): Counterexample {
  const { step, kind, message, operations, before } = found;
  const kept = operations.slice(0, step + 1).slice(-MAX_OPERATIONS);
  return {
    ...head,
    ...facts,
    divergence: { step: kept.length - 1, kind, message: message.slice(0, MAX_MESSAGE) },
    ...(before === undefined ? {} : { before }),
    operations: kept,
  };
}

/** Members of which each entry has a line of its own, as have those of what holds one of them. */
const BROKEN: ReadonlySet<string> = new Set(["divergence", "variant", "before", "operations"]);

/** The JSON of the member `key`, with spaces and lines where a person would put them. */
function textOf(value: unknown, key: string, indent: string): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const isList = Array.isArray(value);
  const isBroken = [key, ...Object.keys(value)].some((name) => BROKEN.has(name));
  const inner = isBroken ? `${indent}  ` : indent;
  const entries = Object.entries(value).flatMap(([name, member]) => {
    if (member === undefined) return [];
    const text = textOf(member, name, inner);
    return isList ? [text] : [`${JSON.stringify(name)}: ${text}`];
  });
  const [open, close] = isList ? ["[", "]"] : ["{", "}"];
  if (isBroken) return `${open}\n${inner}${entries.join(`,\n${inner}`)}\n${indent}${close}`;
  return isList ? `[${entries.join(", ")}]` : `{ ${entries.join(", ")} }`;
}

/**
 * The text of a counterexample file: one operation a line, so that it reads and diffs well. Members
 * are in the order of the schema whoever made the value.
 *
 * @throws ZodError where the value is one that could not be read again: a mistake of the caller
 */
export function formatCounterexample(counterexample: Counterexample): string {
  return `${textOf(counterexampleSchema.parse(counterexample), "", "")}\n`;
}

/**
 * Write a counterexample: the whole file or, where that fails, none of it. @throws UsageError where
 * it cannot be written
 */
export function writeCounterexample(path: string, counterexample: Counterexample): void {
  writeOutput(path, formatCounterexample(counterexample));
}
