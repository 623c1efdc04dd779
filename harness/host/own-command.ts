/**
 * Commands that are printed to be copied: they start this very program, from the folder and in the
 * shell where they are printed. (`npx ext4-conform` does not: outside the clone it asks a registry
 * for a package of that name, whoever owns it, and runs that.)
 */
import { accessSync, constants, realpathSync } from "node:fs";
import { delimiter, join, relative, resolve } from "node:path";
import { packageRoot } from "./package.ts";

/** The name under which the program can be found, once its folder `bin` is in PATH. */
const NAME = "ext4-conform";

/** What of the surroundings decides how the program can be started. */
export interface Surroundings {
  env: Readonly<Record<string, string | undefined>>;
  /** The working folder. */
  cwd: string;
}

const here = (): Surroundings => ({ env: process.env, cwd: process.cwd() });

/**
 * A word of a command line, quoted where a shell needs it. Control characters come as their
 * escapes, which sh may not know.
 */
export function shellWord(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  if (!/\p{Cc}/u.test(word)) return `'${word.replaceAll("'", String.raw`'\''`)}'`;
  const escaped = word
    .replaceAll(/[\\']/g, String.raw`\$&`)
    .replaceAll(/\p{Cc}+/gu, (text) =>
      [...Buffer.from(text)].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join(""),
    );
  return `$'${escaped}'`;
}

/** The file that a shell starts for `name`, links followed; undefined where it finds none. */
function found(name: string, { env, cwd }: Surroundings): string | undefined {
  for (const folder of (env["PATH"] ?? "").split(delimiter)) {
    const path = resolve(cwd, folder, name);
    try {
      accessSync(path, constants.X_OK);
      return realpathSync(path);
    } catch {
      // The next one.
    }
  }
  return undefined;
}

/** Whether npm started this process: PATH then has folders that the user's shell does not. */
const isFromNpm = ({ env }: Surroundings): boolean => env["npm_command"] !== undefined;

/** A path as short as it can be said from `cwd`; never one that an option begins like. */
function pathFrom(cwd: string, path: string): string {
  const near = relative(cwd, path);
  if (near === "" || near.length >= path.length) return path;
  return near.startsWith("-") ? `./${near}` : near;
}

/** The words that start this program. */
export function ownProgram(surroundings: Surroundings = here()): string[] {
  const cli = join(packageRoot, "dist", `${NAME}.js`);
  const itself = [cli, join(packageRoot, "bin", NAME)];
  const known = found(NAME, surroundings);
  if (known !== undefined && itself.includes(known) && !isFromNpm(surroundings)) return [NAME];
  const node = realpathSync(process.execPath);
  const program = found("node", surroundings) === node ? "node" : node;
  return [program, pathFrom(surroundings.cwd, cli)];
}

/** The command that starts this program with these words, as a shell takes it. */
export function ownCommand(words: readonly string[], surroundings: Surroundings = here()): string {
  return [...ownProgram(surroundings), ...words].map(shellWord).join(" ");
}

/** What sudo has for PATH wherever it sets one (secure_path of sudoers): no /usr/local on Fedora. */
const SECURE_PATH = "/usr/sbin:/usr/bin:/sbin:/bin";

/** The same as root, by sudo, which does not find what is found only in PATH. */
export function ownSudoCommand(
  words: readonly string[],
  { env, cwd }: Surroundings = here(),
): string {
  return `sudo ${ownCommand(words, { env: { ...env, PATH: SECURE_PATH }, cwd })}`;
}

/** A file as a word of a command that is run in this folder. */
export const fileWord = (path: string, cwd = process.cwd()): string =>
  pathFrom(cwd, resolve(cwd, path));
