/**
 * Locks: two builds of one tree at the same time would spoil each other's objects.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { EnvironmentError } from "../case/failure.ts";
import { startTimeOf } from "../subjects/owner.ts";
import { undoAtExit } from "../system/undo.ts";

/** "pid start-time" of the process that holds a lock; "" where that cannot be read. */
function holderOf(lock: string): string {
  try {
    return readFileSync(join(lock, "holder"), "utf8");
  } catch {
    return "";
  }
}

function isAlive(holder: string): boolean {
  const [pid, startTime] = holder.split(" ");
  return startTime !== undefined && startTimeOf(Number(pid)) === startTime;
}

function tryLock(lock: string): boolean {
  try {
    mkdirSync(lock);
    writeFileSync(join(lock, "holder"), `${process.pid} ${startTimeOf(process.pid)}`);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/**
 * Lock a folder; returns what unlocks it. A lock of a dead process is taken over. Throws
 * EnvironmentError where it is held.
 */
export function lockFolder(folder: string): () => void {
  const lock = join(folder, "lock");
  if (!tryLock(lock)) {
    const holder = holderOf(lock);
    if (!isAlive(holder)) rmSync(lock, { recursive: true, force: true });
    if (isAlive(holder) || !tryLock(lock)) {
      throw new EnvironmentError(
        "process-failed",
        `process ${holder.split(" ")[0]} is building the same tree`,
        "Wait until it has ended.",
      );
    }
  }
  return undoAtExit(() => rmSync(lock, { recursive: true, force: true }));
}
