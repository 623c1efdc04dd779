/**
 * Completion for zsh, by its own _arguments.
 */
import { briefly, flat } from "./described.ts";
import type { Described, DescribedOption, Operand } from "./described.ts";

/** Inside of single quotes. */
const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

/** Where a colon ends what is said, and a bracket too. */
const escaped = (text: string): string => text.replaceAll(/[\\[\]:]/g, String.raw`\$&`);

const functionOf = ({ path }: Described): string => ["_ext4-conform", ...path].join("_");

/** What completes it, as _arguments takes it: the message is what the help calls it. */
function action(message: string, { words = [], commas, files }: Operand): string {
  const said = escaped(message);
  const list = words.join(" ");
  const place = files === "folders" ? "_files -/" : "_files";
  if (words.length === 0) return files === undefined ? `${said}: ` : `${said}:${place}`;
  if (files !== undefined) {
    return `${said}:{_alternative "words:word:(${list})" "files:file:${place}"}`;
  }
  return commas === true ? `${said}:{_values -s , ${said} ${list}}` : `${said}:(${list})`;
}

function optionSpec({
  long,
  short,
  placeholder,
  operand,
  variadic,
  description,
}: DescribedOption): string {
  const said = `[${escaped(briefly(description))}]`;
  const takes = placeholder === undefined ? "" : `:${action(placeholder, operand)}`;
  const again = variadic ? "*" : "";
  // Behind a long one what it takes may be a word of its own, or follow a "=".
  const names = [
    placeholder === undefined ? long : `${long}=`,
    ...(short === undefined ? [] : [short]),
  ];
  return names.map((name) => quoted(`${again}${name}${said}${takes}`)).join(" ");
}

/** A function that completes one command. */
function functionText(described: Described): string {
  const { options, operands, commands } = described;
  const specs = options.map(optionSpec);
  if (commands.length === 0) {
    const all = operands.map((operand) => quoted(`*:${action("operand", operand)}`)).slice(0, 1);
    return `${functionOf(described)}() {\n  _arguments \\\n    ${[...specs, ...all].join(" \\\n    ")}\n}\n`;
  }
  const listed = commands.map(({ path, description }) =>
    quoted(`${path.at(-1)!}:${escaped(briefly(description))}`),
  );
  const arms = commands.map((one) => `    ${one.path.at(-1)!}) ${functionOf(one)} ;;`);
  return `\
${functionOf(described)}() {
  local curcontext="$curcontext" state line
  typeset -A opt_args
  local -a commands=(
    ${listed.join("\n    ")}
  )
  _arguments -C \\
    ${specs.join(" \\\n    ")} \\
    '1:command:{_describe command commands}' \\
    '*::operand:->operands'
  [[ $state == operands ]] && case $line[1] in
${arms.join("\n")}
  esac
}
`;
}

/** The script: to be sourced behind compinit, or a file _ext4-conform in a folder of $fpath. */
export function zshCompletion(program: Described): string {
  return `\
#compdef ext4-conform

${flat(program).map(functionText).join("\n")}
if [[ $funcstack[1] == _ext4-conform ]]; then
  _ext4-conform "$@"
else
  compdef _ext4-conform ext4-conform
fi
`;
}
