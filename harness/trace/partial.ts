/**
 * The name of a recording until it is whole, and the removal of those that dead processes left.
 *
 * The name says who writes it, as owner files of work directories do (subjects/leftovers.ts), since
 * the contents must be nothing but the trace: the pid, when that process started, and where the pid
 * means something. One that another boot or pid namespace has left (a container or a guest may see
 * the folder) cannot be judged from here, and is left alone.
 */
import { createHash, randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { join } from "node:path";
import { keptOf } from "../stored/output.ts";
import { pidScope, startTimeOf } from "../subjects/owner.ts";

/** .<name>.<pid>-<start time>-<scope>.<random>.partial */
const NAME = /^\..*\.(\d+)-(\d+)-([0-9a-f]{8})\.[0-9a-f]{8}\.partial$/s;

/**
 * The scope of this process (subjects/owner.ts) as eight digits; undefined where nothing says it.
 */
function scopeDigits(): string | undefined {
  try {
    return createHash("sha256").update(pidScope()).digest("hex").slice(0, 8);
  } catch {
    return undefined;
  }
}

/** A name that no other file has, for what this process writes and will call `name`. */
export function partialName(name: string): string {
  const owner = `${process.pid}-${startTimeOf(process.pid) ?? 0}-${scopeDigits() ?? "0".repeat(8)}`;
  return `.${keptOf(name)}.${owner}.${randomBytes(4).toString("hex")}.partial`;
}

/** Whether the process that wrote a file of this name is known to be gone. */
function isAbandoned(name: string, scope: string): boolean {
  const [, pid, startTime, where] = NAME.exec(name) ?? [];
  return pid !== undefined && where === scope && startTimeOf(Number(pid)) !== startTime;
}

/**
 * Removes what dead recordings of this user left in `folder`. Never an error: it is not what was
 * asked for.
 */
export function sweepPartials(folder: string): void {
  const scope = scopeDigits();
  if (scope === undefined || startTimeOf(process.pid) === undefined) return;
  try {
    for (const name of fs.readdirSync(folder)) {
      if (!isAbandoned(name, scope)) continue;
      const path = join(folder, name);
      const stats = fs.lstatSync(path);
      if (stats.isFile() && stats.uid === process.geteuid?.()) fs.rmSync(path, { force: true });
    }
  } catch {
    // The folder cannot be read, or another recording sweeps it at this moment.
  }
}
