/**
 * The kernel of this machine: workers are child processes.
 */
import { execaNode } from "execa";
import { join } from "node:path";
import { packageRoot } from "../package.ts";
import type { KernelUnderTest, WorkerLink } from "./link.ts";
import type { Message } from "./messages.ts";

/** Made by `npm run build`, one file: a guest takes two seconds to read a hundred. */
export const workerFile = join(packageRoot, "dist", "worker.js");

/** Milliseconds that a killed worker has to go away before it counts as stuck in the kernel. */
const KILL_MS = 5_000;

/**
 * Not detached: the worker gets the terminal's Ctrl-C too, and its own listeners clean up. It has none of our streams:
 * one that is stuck in the kernel would keep them open, and with them a reader of our output waiting.
 */
function startProcess() {
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
  return worker;
}

function start(): WorkerLink {
  const worker = startProcess();
  // Listened to from the beginning: what nobody listens to is lost.
  const messages = worker.getEachMessage() as unknown as AsyncIterable<Message>;
  return {
    // Sending returns when the message has left; a request is data through and through.
    send: (request) => worker.sendMessage(request),
    messages: () => messages,
    async ended() {
      const { exitCode, signal } = await worker;
      return { reason: signal ?? `status ${exitCode}`, console: [], kernelDied: false };
    },
    async finish() {
      await worker.sendMessage({ type: "end" }).catch(() => {
        // It has ended already.
      });
      await worker;
    },
    stop: () => void worker.kill("SIGTERM"),
    async kill() {
      worker.kill("SIGKILL");
      const gone = worker.then(() => true);
      const waited = new Promise<boolean>((resolve) => setTimeout(resolve, KILL_MS, false));
      return Promise.race([gone, waited]);
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
