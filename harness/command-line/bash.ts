/**
 * Completion for bash, from 4.0 on, without any library of its.
 */
import { flat } from "./described.ts";
import type { Described, Operand } from "./described.ts";

/**
 * What completes a word. A colon would end one (COMP_WORDBREAKS), which is why what `--report`
 * takes completes up to there only.
 */
const HELPERS = `\
_ext4_conform_words() {
  mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur")
}

_ext4_conform_list() {
  local list=
  [[ $cur == *,* ]] && list=\${cur%,*},
  mapfile -t COMPREPLY < <(compgen -W "$1" -P "$list" -- "\${cur##*,}")
}

_ext4_conform_files() {
  local files
  compopt -o filenames 2>/dev/null
  mapfile -t files < <(compgen "$1" -- "$cur")
  COMPREPLY+=("\${files[@]}")
}
`;

function completing({ words = [], commas, files }: Operand): string {
  const calls = [
    ...(words.length === 0
      ? []
      : [`_ext4_conform_${commas === true ? "list" : "words"} '${words.join(" ")}'`]),
    ...(files === undefined ? [] : [`_ext4_conform_files ${files === "all" ? "-f" : "-d"}`]),
  ];
  return calls.join("; ") || ":";
}

const pathOf = ({ path }: Described): string => path.map((word) => ` ${word}`).join("");

/** The arms of a case. */
const arms = (of: readonly (readonly [pattern: string, then: string])[]): string =>
  of.map(([pattern, then]) => `    "${pattern}") ${then} ;;`).join("\n");

/** The script. */
export function bashCompletion(program: Described): string {
  const all = flat(program);
  const commands = all.flatMap((one) => (one.path.length === 0 ? [] : [`"${pathOf(one)}"`]));
  const operands = all.flatMap((one) =>
    one.options.flatMap(({ long, placeholder, operand }) =>
      placeholder === undefined ? [] : [[`${pathOf(one)} ${long}`, completing(operand)] as const],
    ),
  );
  const options = all.map((one) => {
    const words = one.options.map(({ long }) => long).join(" ");
    return [pathOf(one), `_ext4_conform_words '${words}'`] as const;
  });
  const others = all.map((one) => {
    const words = one.commands.map(({ path }) => path.at(-1)!);
    const [operand = { words }] = one.operands;
    return [pathOf(one), completing(operand)] as const;
  });
  return `\
# Completion of ext4-conform for bash.

${HELPERS}
_ext4_conform() {
  local cur=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]} command= word
  COMPREPLY=()
  # Of --option=word the = is a word of its own.
  [[ $cur == = ]] && cur=
  [[ $before == = ]] && before=\${COMP_WORDS[COMP_CWORD - 2]}
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$command $word" in
      ${commands.join(" | ")}) command+=" $word" ;;
    esac
  done
  case "$command $before" in
${arms(operands)}
    *) _ext4_conform_operand ;;
  esac
}

_ext4_conform_operand() {
  if [[ $cur == -* ]]; then
    case "$command" in
${arms(options)}
    esac
    return
  fi
  case "$command" in
${arms(others)}
  esac
}

complete -F _ext4_conform ext4-conform
`;
}
