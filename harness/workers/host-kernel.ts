/**
 * The kernel of this machine: workers are child processes.
 */
import { execaNode } from "execa";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { packageRoot } from "../host/package.ts";
import { SAMPLE_MS, heldByKernel, isStopped, sampleTasks } from "./held.ts";
import type { HeldBy, KernelUnderTest, WorkerLink } from "./link.ts";
import type { Message } from "./messages.ts";

/** Made by `npm run build`, one file: a guest takes two seconds to read a hundred. */
export const workerFile = join(packageRoot, "dist", "worker.js");

/** Milliseconds that a killed worker has to go away before it counts as stuck in the kernel. */
const KILL_MS = 5_000;

/** What keeps the process `pid` silent. */
async function heldBy(pid: number): Promise<HeldBy> {
  const before = sampleTasks(pid);
  await setTimeout(SAMPLE_MS);
  const evidence = heldByKernel(before, sampleTasks(pid));
  if (evidence.length > 0) return { kernel: true, evidence };
  return { kernel: false, why: "no task of it is held by the kernel" };
}

/**
 * Not detached: the worker gets the terminal's Ctrl-C too, and its own listeners clean up. It has
 * none of our streams: one that is stuck in the kernel would keep them open, and with them a reader
 * of our output waiting.
 */
function start(): WorkerLink {
  const worker = execaNode(workerFile, [], {
    ipc: true,
    reject: false,
    buffer: false,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
    forceKillAfterDelay: KILL_MS,
  });
  worker.stderr.pipe(process.stderr, { end: false });
  let killed = false;
  // Listened to from the beginning: what nobody listens to is lost.
  const messages = worker.getEachMessage() as unknown as AsyncIterable<Message>;
  return {
    // Sending returns when the message has left; a request is data through and through.
    send: (request) => worker.sendMessage(request),
    messages: () => messages,
    async ended() {
      const { exitCode, signal } = await worker;
      const byOthers = signal === "SIGKILL" && !killed;
      const reason = signal ?? `status ${exitCode}`;
      return { reason, console: [], kernelDied: false, killed: byOthers };
    },
    async finish() {
      await worker.sendMessage({ type: "end" }).catch(() => {
        // It has ended already.
      });
      await worker;
    },
    stop() {
      // One that does not obey in time is killed by execa.
      killed = true;
      worker.kill("SIGTERM");
    },
    isStopped: () => isStopped(worker.pid!),
    heldBy: () => heldBy(worker.pid!),
    async kill() {
      killed = true;
      worker.kill("SIGKILL");
      return Promise.race([worker.then(() => true), setTimeout(KILL_MS, false)]);
    },
  };
}

export const hostKernel: KernelUnderTest = {
  what: "host",
  kind: "this machine's",
  append: [],
  guest: false,
  start,
};
