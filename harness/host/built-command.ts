/**
 * For tests: the built command as a user starts it, in a folder of its own.
 */
import { randomUUID } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll } from "vitest";
import { packageRoot } from "./package.ts";

/** Path of the command. */
export const cli = join(packageRoot, "dist", "ext4-conform.js");

/** Runs a command as a user who may do nothing; whoever is not root is one already. */
export const asNobody: object =
  process.geteuid?.() === 0
    ? { uid: 65534, gid: 65534, cwd: "/", env: { HOME: "/nonexistent" } }
    : { cwd: "/" };

/** Words before a command that then runs as root without the right to mount, as in a container. */
export const withoutMounts = ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin"];

/** Why such a user cannot start the command; undefined where they can. */
export async function hiddenFromNobody(): Promise<string | undefined> {
  const { exitCode } = await execa("test", ["-r", cli], { ...asNobody, reject: false });
  return exitCode === 0 ? undefined : `only root can read ${cli}: a folder above it is closed`;
}

/** What was printed, without the breaks that let its lines fit. */
export const unwrapped = (text: string): string => text.replaceAll(/\n +(?=\S)/g, " ");

/**
 * A folder that goes with the tests of a file, and the command in it. It never throws: the exit
 * status is to be looked at.
 */
export function builtCommand(name: string) {
  const folder = join(tmpdir(), `conform-${name}-${randomUUID()}`);
  // Where all tests of a file are skipped, neither of the two is called.
  beforeAll(() => mkdirSync(folder, { mode: 0o700 }));
  afterAll(() => rmSync(folder, { recursive: true }));
  const conform = (args: readonly string[], options: object = {}) =>
    execa("node", [cli, ...args], {
      reject: false,
      cwd: folder,
      // How long a run takes to end after a signal depends on what else the machine does.
      forceKillAfterDelay: false,
      ...options,
    });
  return { folder, conform };
}
