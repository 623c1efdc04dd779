/**
 * For tests and the storm: a container around a command, with processes, mounts and a /dev/shm of
 * its own.
 */
import { shellWord } from "./own-command.ts";

/** Words that start a command in a container, which ends with them. */
export function inContainer(command: readonly string[]): [program: string, args: string[]] {
  const script = `mount -t tmpfs tmpfs /dev/shm && exec ${command.map(shellWord).join(" ")}`;
  const own = ["--mount", "--pid", "--fork", "--mount-proc", "--kill-child"];
  return ["unshare", [...own, "sh", "-c", script]];
}
