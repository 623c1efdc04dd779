/**
 * WorkerLink: the supervisor's end of the line to a worker, whether that is a process here or in a
 * guest.
 */
import type { Message, Request } from "./messages.ts";

/** How a worker ended. */
export interface WorkerEnd {
  /** In words: "status 1", "SIGKILL", "Kernel panic - not syncing: ..." */
  reason: string;
  /** What the kernel under it said last, where it is not the host's. */
  console: string[];
  /** The kernel went down with it. */
  kernelDied: boolean;
  /**
   * Somebody else than this program killed it, as the machine's kernel does where memory runs out.
   */
  killed: boolean;
}

/** What keeps a worker silent. */
export type HeldBy =
  /** The kernel under test; with what it can say of it. */
  | { kernel: true; evidence: string[] }
  /** Not that. In words. */
  | { kernel: false; why: string };

export interface WorkerLink {
  send(request: Request): Promise<void>;
  /**
   * Ends when the worker does; the first says that it has started. Throws EnvironmentError where it
   * cannot start.
   */
  messages(): AsyncIterable<Message>;
  /** Settles when the worker is gone. */
  ended(): Promise<WorkerEnd>;
  /** Nothing more will be asked: the worker ends. */
  finish(): Promise<void>;
  /** Ask the worker to end in the middle of what it does; it cleans up after itself. */
  stop(): void;
  /** Whether somebody has stopped it: then it cannot say anything. Asked four times a second. */
  isStopped(): boolean;
  /** What keeps it silent, as far as can be seen from outside. Takes a few seconds. */
  heldBy(): Promise<HeldBy>;
  /** End it at any price. Whether it went away in time. */
  kill(): Promise<boolean>;
}

/**
 * Seconds of silence after which a kernel counts as hung: a guest's image lies in memory, a host's
 * disk may sleep.
 */
export const HANG_SECONDS = { host: 60, guest: 20 };

/** --kernel FILE as words, where a command must name the kernel; other options may follow. */
export function kernelWords({
  what,
  guest,
  append,
}: Pick<KernelUnderTest, "what" | "guest" | "append">): string[] {
  if (!guest) return [];
  // Each in a word of its own with its option, which else would take what follows.
  return ["--kernel", what, ...append.map((option) => `--append=${option}`)];
}

/** A kernel that workers run on. */
export interface KernelUnderTest {
  /** As the user named it. */
  what: string;
  /** What it is, in words: "this machine's", "user-mode Linux", "QEMU with KVM". */
  kind: string;
  /** Options for its command line, besides those that it is always given. */
  append: readonly string[];
  /** It is a guest: when it dies it is started again, and the run goes on. */
  guest: boolean;
  start(): WorkerLink;
}
