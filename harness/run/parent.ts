/**
 * A worker ends when the process that started it does.
 *
 * The end of their channel tells it so, where its event loop turns: then it cleans up. One that
 * waits for a program, or that sleeps in a system call, does not hear of it. So a thread of its own
 * looks whose child it is, and kills it; the kernel then takes away what it had mounted and
 * attached (own-mounts.ts, loop.ts).
 */
import { Worker } from "node:worker_threads";

/** Milliseconds between two looks, and those that cleaning up may take. */
const LOOK_MS = 500;
const GRACE_MS = 10_000;

/**
 * A thread has no file of its own, so that a worker stays one file: a guest takes long to read
 * many.
 */
const WATCH = `
const parent = process.ppid;
setInterval(() => {
  if (process.ppid === parent) return;
  setTimeout(() => process.kill(process.pid, "SIGKILL"), ${GRACE_MS});
}, ${LOOK_MS});
`;

/** From now on this process does not outlive the one that started it. */
export function endWithParent(): void {
  new Worker(WATCH, { eval: true }).unref();
}
