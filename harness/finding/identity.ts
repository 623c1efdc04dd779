/**
 * Identity: what makes two findings one. The same kind, the same words about it but for numbers,
 * and a case of the same shape: which operations it takes, and how, whatever their operands.
 */
import { createHash } from "node:crypto";
import { effectsOf, failNthOf } from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";
import type { Divergence } from "./divergence.ts";

/** What of a finding says which it is. */
export type Identifiable = Pick<Divergence, "kind" | "message" | "operations" | "step" | "before">;

/** Words without what differs from one case to the next: numbers, hexadecimal ones too. */
const pattern = (words: string): string =>
  words
    .replaceAll(/\b(blocks \d+-\d+ are|block \d+ is)\b/g, "# is")
    .replaceAll(/\b(blocks|block) \d+(-\d+)?/g, "blocks #")
    .replaceAll(/0x[\da-f]+|[\da-f]*\d[\da-f]*/gi, "#");

/** What is said of an operand: of numbers nothing. */
function wordsOf([name, value]: [string, unknown]): string[] {
  if (typeof value === "string") return [value];
  if (name === "during") return [`during (${(value as Operation[]).map(shapeOf).join(", ")})`];
  return typeof value === "number" ? [] : [name];
}

/** An operation without its numbers, and how it is to fail. */
function shapeOf(operation: Operation): string {
  const short = effectsOf(operation).mayEndShort?.(operation) === true ? ["short"] : [];
  const fails = failNthOf(operation) === undefined ? [] : ["without memory"];
  return [...Object.entries(operation).flatMap(wordsOf), ...short, ...fails].join(" ");
}

const hashOf = (parts: readonly string[]): string =>
  createHash("sha256").update(parts.join("\n")).digest("hex").slice(0, 12);

/** The same for two findings that are one: 12 hexadecimal digits. */
export function identityOf({ kind, message, operations, step, before = [] }: Identifiable): string {
  const cases = [...before.map((one) => one.operations), operations.slice(0, step + 1)];
  return hashOf([kind, pattern(message), ...cases.map((one) => one.map(shapeOf).join(", "))]);
}

/**
 * The same for what looks alike before it is shrunk: what showed, and after which operation. Two
 * findings may look alike.
 */
export function symptomOf({ kind, message, operations, step }: Identifiable): string {
  const last = operations[step];
  return hashOf([kind, pattern(message), last === undefined ? "" : shapeOf(last)]);
}
