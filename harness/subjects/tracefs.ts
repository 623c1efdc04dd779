/**
 * tracefs: trace buffers of our own (Documentation/trace/ftrace.rst, "Instances").
 */
import { randomUUID } from "node:crypto";
import { constants, existsSync, mkdirSync, readdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { runSync } from "../system/process.ts";
import { LOCK_EX, LOCK_NB, O_CLOEXEC, syscalls } from "../system/syscalls.ts";
import { unmountQuietly } from "./mount.ts";

const { O_DIRECTORY, O_RDONLY } = constants;

const PREFIX = "ext4-conform-";

/** Where a tracefs mostly is. */
const USUAL = "/sys/kernel/tracing";

/**
 * The tracefs of this machine, or one in a work directory of ours for as long as `use` runs;
 * undefined where it cannot be mounted. What removes a work directory unmounts what is below it.
 */
export function withTracefs<T>(directory: string, use: (root: string | undefined) => T): T {
  if (existsSync(join(USUAL, "instances"))) return use(USUAL);
  const point = join(directory, "tracefs");
  mkdirSync(point);
  const mounted = runSync("mount", ["-t", "tracefs", "tracefs", point]).exitCode === 0;
  try {
    return use(mounted ? point : undefined);
  } finally {
    if (mounted) unmountQuietly(point);
    rmdirSync(point);
  }
}

/** A trace buffer that is in use. */
export interface Instance {
  path: string;
  close(): void;
}

/**
 * Take the lock of a trace buffer: its descriptor, or undefined where somebody else has it, or it
 * is gone.
 *
 * A process that is killed lets go of a lock, whatever pid namespace it was in: all containers of a
 * machine share one tracefs, in which a name with a pid says nothing, and the inode of a namespace
 * that is gone is soon that of another (seen).
 */
function lock(path: string): number | undefined {
  const calls = syscalls();
  const fd = calls.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  if (fd < 0) return undefined;
  if (calls.flock(fd, LOCK_EX | LOCK_NB) === 0) return fd;
  calls.close(fd);
  return undefined;
}

/** Remove the trace buffers of processes that were killed. */
function removeStale(root: string): void {
  for (const name of readdirSync(root)) {
    if (!name.startsWith(PREFIX)) continue;
    const path = join(root, name);
    const fd = lock(path);
    if (fd === undefined) continue;
    try {
      rmdirSync(path);
    } catch {
      // Another run has removed it, or somebody reads it.
    }
    syscalls().close(fd);
  }
}

/**
 * A trace buffer of our own, which nobody else sees events in; those of processes that were killed are removed first.
 */
export function openInstance(tracefs: string): Instance {
  const root = join(tracefs, "instances");
  removeStale(root);
  for (;;) {
    const path = join(root, `${PREFIX}${randomUUID()}`);
    mkdirSync(path);
    const fd = lock(path);
    // Somebody may have taken it for stale before it was locked.
    if (fd === undefined) continue;
    const close = (): void => {
      rmdirSync(path);
      syscalls().close(fd);
    };
    return { path, close };
  }
}
