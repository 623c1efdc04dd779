/**
 * For tests: whether shellcheck is content with a script.
 */
import { execa } from "execa";
import { lacksProgram } from "../harness/system/process.ts";

/** Why it cannot be asked; undefined where it can. */
export const noShellcheck = lacksProgram("shellcheck")?.message;
if (noShellcheck !== undefined) console.warn(`SKIP: ${noShellcheck}`);

/** What it says of a script, which begins with what it is for; nothing where it is content. */
export async function shellcheckFaults(script: string): Promise<string> {
  const { stdout } = await execa("shellcheck", ["-"], { input: script, reject: false });
  return stdout;
}
