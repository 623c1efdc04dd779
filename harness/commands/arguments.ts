/**
 * Arguments of several commands, and their help.
 */
import { Help, InvalidArgumentError } from "commander";
import type { Command } from "commander";
import { findVariant } from "../../images/variants.ts";
import { knownDeviations } from "../../model/deviations/index.ts";
import { columnsOf } from "../text/wrap.ts";

/** Takes a whole number from `minimum` to `maximum`. */
export function integer(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= minimum && value <= maximum) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${minimum} to ${maximum}.`);
  };
}

/** Adds text behind the help of a command, in lines that fit. */
export function addHelpAfter(command: Command, text: string): void {
  command.addHelpText("after", () => new Help().boxWrap(text, columnsOf(process.stdout)));
}

/** Of the options that take a list, the names that may be in it. */
const LISTS: Readonly<Record<string, (name: string) => boolean>> = {
  "--variant": (name) => ["all", "default"].includes(name) || findVariant(name) !== undefined,
  "--deviation": (name) => knownDeviations.some(({ id }) => id === name),
};

/**
 * What was probably meant where names of a list stand apart: all behind the first are operands
 * then. Empty where that is not so.
 */
export function listBySpaces(words: readonly string[]): string {
  for (const [i, word] of words.entries()) {
    const isName = LISTS[word];
    if (isName === undefined) continue;
    const rest = words.slice(i + 1);
    const end = rest.findIndex((one) => !one.split(",").filter(Boolean).every(isName));
    const names = end < 0 ? rest : rest.slice(0, end);
    if (names.length < 2) continue;
    const list = names.flatMap((one) => one.split(",")).filter(Boolean);
    return `(Did you mean ${word} ${list.join(",")}? Names of a list have commas between them.)\n`;
  }
  return "";
}
