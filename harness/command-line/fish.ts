/**
 * Completion for fish, by its own complete.
 */
import { briefly, flat } from "./described.ts";
import type { Described, DescribedOption, Operand } from "./described.ts";

const quoted = (text: string): string => `'${text.replaceAll(/[\\']/g, String.raw`\$&`)}'`;

/** Where a command is what is typed; the program itself, before any command is. */
function condition({ path }: Described): string {
  if (path.length === 0) return "__fish_use_subcommand";
  return path.map((word) => `__fish_seen_subcommand_from ${word}`).join("; and ");
}

/** What completes it. */
function taking({ words = [], commas, files }: Operand): string {
  const list = words.join(" ");
  const given = commas === true ? `(__fish_append , ${list})` : list;
  const folders = files === "folders" ? " (__fish_complete_directories)" : "";
  const all = `${given}${folders}`.trim();
  const more = all === "" ? "" : ` -a ${quoted(all)}`;
  return `${files === "all" ? " -F" : " -f"}${more}`;
}

const optionWords = ({ long, short, placeholder, operand, description }: DescribedOption): string =>
  [
    ` -l ${long.slice(2)}`,
    ...(short === undefined ? [] : [` -s ${short.slice(1)}`]),
    ...(placeholder === undefined ? [] : [` -r${taking(operand)}`]),
    ` -d ${quoted(briefly(description))}`,
  ].join("");

function linesOf(described: Described): string[] {
  const { options, operands, commands } = described;
  const complete = `complete -c ext4-conform -n ${quoted(condition(described))}`;
  // Behind "trace" comes "check", and behind that not again.
  const inner = commands.map(({ path }) => path.at(-1)!).join(" ");
  const outer = described.path.length === 0 ? "" : `; and not __fish_seen_subcommand_from ${inner}`;
  const before = `complete -c ext4-conform -n ${quoted(condition(described) + outer)}`;
  return [
    ...commands.map(
      ({ path, description }) => `${before} -a ${path.at(-1)!} -d ${quoted(briefly(description))}`,
    ),
    ...options.map((option) => complete + optionWords(option)),
    ...operands.slice(0, 1).map((operand) => complete + taking(operand)),
  ];
}

/** The script. */
export function fishCompletion(program: Described): string {
  const lines = ["complete -c ext4-conform -f", ...flat(program).flatMap(linesOf)];
  return `# Completion of ext4-conform for fish.\n\n${lines.join("\n")}\n`;
}
