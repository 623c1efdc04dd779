/**
 * `ext4-conform completion SHELL`, and the manual.
 */
import { Argument } from "commander";
import type { Command } from "commander";
import { variants } from "../../images/variants.ts";
import { knownDeviations } from "../../model/deviations/index.ts";
import { bashCompletion } from "../command-line/bash.ts";
import { describe } from "../command-line/described.ts";
import type { Described, Operands } from "../command-line/described.ts";
import { fishCompletion } from "../command-line/fish.ts";
import { zshCompletion } from "../command-line/zsh.ts";
import { promises } from "../contract/promises.ts";
import { ALPHABETS } from "../explore/alphabet.ts";
import { reportForms } from "../report/forms.ts";
import { addHelpAfter } from "./arguments.ts";

const names = variants.map(({ name }) => name);
const deviations = knownDeviations.map(({ id }) => id);

/** A kernel: this machine's, or a file. */
const kernel = { words: ["host"], files: "all" } as const;

/** What may stand where the help has these words. */
const OPERANDS: Operands = {
  file: { files: "all" },
  files: { files: "all" },
  path: { files: "all" },
  folder: { files: "folders" },
  dir: { words: ["debian"], files: "folders" },
  kernel,
  what: kernel,
  names: { words: ["all", "default", ...names], commas: true },
  ids: { words: deviations, commas: true },
  id: { words: [...deviations, ...promises.map(({ id }) => id)] },
  A: { words: names },
  B: { words: names },
  alphabet: { words: Object.keys(ALPHABETS) },
  form: { words: Object.keys(reportForms) },
};

const SHELLS: Readonly<Record<string, (program: Described) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

/** The program as data. */
export const described = (program: Command): Described => describe(program, OPERANDS);

/** Adds the command. */
export function addCompletionCommand(program: Command): void {
  const completion = program
    .command("completion")
    .description("print the script that completes commands, options and operands in a shell")
    .addArgument(new Argument("<shell>", "which").choices(Object.keys(SHELLS)))
    .action((shell: string) => {
      process.stdout.write(SHELLS[shell]!(described(program)));
    });
  addHelpAfter(
    completion,
    `
For every shell that begins (of zsh behind compinit):
  echo 'eval "$(ext4-conform completion bash)"' >>~/.bashrc
  echo 'eval "$(ext4-conform completion zsh)"' >>~/.zshrc
  fish=~/.config/fish/completions
  ext4-conform completion fish >$fish/ext4-conform.fish`,
  );
}
