/**
 * The commands as data, taken from what commander knows of them: what the completion of shells and
 * the manual are made of.
 */
import type { Argument, Command, Option } from "commander";

/** What may stand for an operand. */
export interface Operand {
  words?: readonly string[];
  /** Several words, commas between them. */
  commas?: true;
  files?: "all" | "folders";
}

/** By the word that stands for it in the help: `file` of `--out <file>`. */
export type Operands = Readonly<Record<string, Operand>>;

export interface DescribedOption {
  long: string;
  short: string | undefined;
  /** The word in the help, as it stands there: `file...`; undefined of one that takes nothing. */
  placeholder: string | undefined;
  /** What that may be. */
  operand: Operand;
  variadic: boolean;
  /** Its choices and what it is by default among it. */
  description: string;
}

export interface Described {
  /** What is typed after the program's name; empty for the program itself. */
  path: readonly string[];
  /** "ext4-conform trace check [options] <files...>" */
  usage: string;
  description: string;
  options: readonly DescribedOption[];
  /** Of all its arguments. */
  operands: readonly Operand[];
  commands: readonly Described[];
  /** Text behind its help. */
  after: string;
}

const operandOf = (
  placeholder: string,
  { argChoices: words }: Pick<Option | Argument, "argChoices">,
  known: Operands,
): Operand => (words === undefined ? (known[/^[\w-]*/.exec(placeholder)![0]] ?? {}) : { words });

function describedOption(option: Option, description: string, known: Operands): DescribedOption {
  const { long, short, flags, variadic } = option;
  const placeholder = /[<[](.+)[>\]]$/.exec(flags)?.[1];
  return {
    long: long!,
    short,
    placeholder,
    operand: placeholder === undefined ? {} : operandOf(placeholder, option, known),
    variadic,
    description,
  };
}

/** What its help has behind what commander makes of it. */
function textAfter(command: Command): string {
  let text = "";
  const output = command.configureOutput();
  command.configureOutput({
    writeOut(more) {
      text += more;
    },
  });
  command.outputHelp();
  command.configureOutput(output);
  return text.slice(command.helpInformation().length);
}

/** A command, with those below it. */
export function describe(
  command: Command,
  known: Operands,
  path: readonly string[] = [],
): Described {
  const help = command.createHelp();
  return {
    path,
    usage: help.commandUsage(command),
    description: help.commandDescription(command),
    options: help
      .visibleOptions(command)
      .map((option) => describedOption(option, help.optionDescription(option), known)),
    operands: command.registeredArguments.map((argument) =>
      operandOf(argument.name(), argument, known),
    ),
    commands: command.commands.map((one) => describe(one, known, [...path, one.name()])),
    after: textAfter(command),
  };
}

/** It and all below it. */
export function flat(described: Described): Described[] {
  return [described, ...described.commands.flatMap(flat)];
}

/** The first line of a description. */
export const briefly = (description: string): string => description.split("\n")[0]!;
