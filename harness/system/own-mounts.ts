/**
 * Mounts that only this process and the programs that it starts see: a mount namespace of its own.
 *
 * Whoever makes a mount namespace (a container, a service, unshare(1)) copies all mounts of the one
 * it was made from, and a file system is in use until its last copy is gone: one that started
 * beside a run would keep the image mounted behind the run's back. From a namespace that nobody
 * else is in nobody copies. And it ends with its last process, whatever ended that, and takes its
 * mounts along.
 *
 * Kernel: unshare(2), mount_namespaces(7). Of a process with several threads unshare(2) moves the
 * calling one only: here the main one, which makes every call on a path and starts every program.
 * Node.js's own threads, which serve `fs.promises` and callbacks, stay outside, so what is mounted
 * is never asked through those.
 */
import { isMainThread } from "node:worker_threads";
import { EnvironmentError } from "../case/failure.ts";
import { CLONE_NEWNS, MS_REC, MS_SLAVE, syscalls } from "./syscalls.ts";

let alone = false;

/**
 * Have mounts of our own from now on. What the rest of the machine mounts and unmounts is still
 * seen, so that nothing of it stays busy for us; what is mounted here it does not see. Throws
 * EnvironmentError where the machine does not let us.
 */
export function enterOwnMounts(): void {
  if (alone) return;
  if (!isMainThread) throw new Error("only the main thread can have mounts of its own");
  const calls = syscalls();
  const unshared = calls.unshare(CLONE_NEWNS);
  const error = unshared < 0 ? unshared : calls.mount("none", "/", "", MS_REC | MS_SLAVE, "");
  if (error < 0) {
    throw new EnvironmentError(
      "mount-refused",
      `this process cannot have mounts of its own (errno ${-error})`,
      "Run as root outside a restricted container.",
    );
  }
  alone = true;
}
