/**
 * Who left a file or a directory: the pid, when that process started, and where the pid means
 * something. The same pid with another start time is another process; one of another boot or pid
 * namespace cannot be judged from here.
 */
import { readFileSync, readlinkSync } from "node:fs";

/**
 * Clock ticks after boot at which a process started, or undefined where it is gone or a zombie
 * (proc_pid_stat(5)).
 */
export function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The second field is the program's name in parentheses and may hold anything, parentheses too.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** The pid namespace; "" in a kernel without them (CONFIG_PID_NS). */
function pidNamespace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}

/**
 * Where a pid means something: this boot and this pid namespace. Throws where /proc does not say.
 */
export function pidScope(): string {
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return `${boot} ${pidNamespace()}`;
}

/** The boot in a scope: another boot's processes are gone, unless it is another machine's. */
export function bootOf(scope: string): string {
  return scope.split(" ")[0]!;
}
