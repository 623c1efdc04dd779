/**
 * For tests: programs of this machine, run in a guest one after the other.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { shellWord } from "../host/own-command.ts";
import { Guest } from "./guest.ts";
import type { GuestRecipe } from "./guest.ts";

/** What came of a program. */
export interface Ran {
  exitCode?: number | undefined;
  stdout: string;
  stderr: string;
}

/**
 * Says that it has started, and runs the programs. The root is read-only in a guest: of the host's
 * this is the one folder that is written to.
 */
const scriptOf = (folder: string, programs: readonly string[]): string =>
  [
    `echo '{"type":"alive"}' >"$1"`,
    `mount -t hostfs none ${shellWord(folder)} -o ${shellWord(folder)} || exit`,
    `cd ${shellWord(folder)} || exit`,
    ...programs.map(
      (file, i) => `${shellWord(file)} >${i}.stdout 2>${i}.stderr; echo $? >${i}.status`,
    ),
    "",
  ].join("\n");

/**
 * What comes of programs, which lie in `folder`, in a user-mode Linux of its own.
 *
 * @throws where it does not come to the end of one, with what the guest said last
 */
export async function runInGuest(
  recipe: GuestRecipe,
  folder: string,
  programs: readonly string[],
): Promise<Ran[]> {
  const script = join(folder, "all.sh");
  writeFileSync(script, scriptOf(folder, programs));
  const { reason, console } = await new Guest(recipe, ["/bin/sh", script]).ended();
  const read = (name: string): string => readFileSync(join(folder, name), "utf8");
  try {
    return programs.map((_, i) => ({
      exitCode: Number(read(`${i}.status`)),
      stdout: read(`${i}.stdout`),
      stderr: read(`${i}.stderr`),
    }));
  } catch (error) {
    throw new Error([reason, ...console].join("\n"), { cause: error });
  }
}
