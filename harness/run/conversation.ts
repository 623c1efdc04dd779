/**
 * Conversation: one worker, asked one thing after the other, with an eye on the clock.
 */
import { performance } from "node:perf_hooks";
import { EnvironmentError } from "../case/failure.ts";
import type { KernelUnderTest, WorkerEnd, WorkerLink } from "../workers/link.ts";
import type { Message, Request } from "../workers/messages.ts";
import { LOOK_MS, Silence } from "./silence.ts";
import { after, NOWHERE, placeText } from "./whereabouts.ts";
import type { Whereabouts } from "./whereabouts.ts";

/** A worker that will not answer any more. */
export class WorkerLost extends Error {
  override readonly name = "WorkerLost";
  /** It ended, or it said nothing for too long and was killed. */
  readonly how: "ended" | "hung";
  readonly where: Whereabouts;
  readonly end: WorkerEnd;
  /** It could not be killed: a system call holds it. */
  readonly stuck: boolean;
  constructor(how: "ended" | "hung", where: Whereabouts, end: WorkerEnd, stuck: boolean) {
    const what = how === "hung" ? "nothing happened for too long" : `a worker ended: ${end.reason}`;
    super(`${what}${placeText(where)}`);
    this.how = how;
    this.where = where;
    this.end = end;
    this.stuck = stuck;
  }
}

/** Throws what a worker could not deal with. */
function rethrow(message: Message): void {
  if (message.type === "environment") {
    throw new EnvironmentError(message.reason, message.message, message.remedy);
  }
  if (message.type === "broken") throw new Error(message.stack);
}

/**
 * After so many times the silence that makes a worker suspect, a machine that does not let it go on
 * has had its time.
 */
const PATIENCE = 10;

/**
 * Silence of so many times as long as a guest took to come up is no hang: how slow it is depends on
 * the machine and on what runs beside it. Measured (user-mode Linux with ptrace): up after 5 s and
 * then silent for 4.1 s while it makes and mounts an image; 13 s and 6.5 s beside two busy
 * processes.
 */
const SILENCE_PER_BOOT = 2;

const CANNOT_BE_KILLED: WorkerEnd = {
  reason: "it cannot be killed",
  console: [],
  kernelDied: false,
  killed: false,
};

export class Conversation {
  readonly #link: WorkerLink;
  readonly #messages: AsyncIterator<Message>;
  readonly #started = performance.now();
  readonly #guest: boolean;
  /** Milliseconds of silence after which it is asked what holds it. */
  #silenceMs: number;
  readonly #silence = new Silence();
  /** It has said something: starting is the link's business. */
  #up = false;
  #where = NOWHERE;

  /**
   * Starts a worker. It counts as hung after `silenceSeconds` without a word, in a slow guest after
   * more.
   */
  constructor(kernel: KernelUnderTest, silenceSeconds: number) {
    this.#link = kernel.start();
    this.#guest = kernel.guest;
    this.#messages = this.#link.messages()[Symbol.asyncIterator]();
    this.#silenceMs = silenceSeconds * 1000;
  }

  /**
   * Ask, and pass on what the worker says until it gives an answer of type `until`, which is
   * returned.
   *
   * @throws WorkerLost where it is gone or says nothing any more, EnvironmentError and Error that
   * it sent
   */
  async ask<T extends Message["type"]>(
    request: Request,
    until: T,
    onMessage: (message: Message) => void | Promise<void> = () => {},
  ): Promise<Extract<Message, { type: T }>> {
    this.#silence.end();
    const sent = this.#link.send(request).catch(() => {
      // It is gone; its end says more.
    });
    for (;;) {
      const message = await this.#next();
      rethrow(message);
      this.#where = after(this.#where, message);
      if (message.type === until) {
        await sent;
        return message as Extract<Message, { type: T }>;
      }
      await onMessage(message);
    }
  }

  async #next(): Promise<Message> {
    const coming = this.#messages.next();
    for (let patience = 1; patience <= PATIENCE; patience++) {
      const next = await this.#orSilence(coming);
      if (next !== "silence") {
        if (next.done === true) throw await this.#ended();
        this.#hear();
        return next.value;
      }
      const held = await this.#link.heldBy();
      if (held.kernel) throw await this.#hung(held.evidence);
      // What it could not use does not count: it begins anew.
      this.#silence.end();
    }
    throw await this.#doesNotGoOn();
  }

  /** What comes, or "silence" once there has been so much of it. */
  async #orSilence(
    coming: Promise<IteratorResult<Message>>,
  ): Promise<IteratorResult<Message> | "silence"> {
    let watch: NodeJS.Timeout | undefined;
    const silence = new Promise<"silence">((resolve) => {
      watch = setInterval(() => {
        // What was said before it was stopped, and will be after, is not silence.
        if (!this.#up || this.#link.isStopped()) this.#silence.end();
        else this.#silence.look();
        if (this.#silence.ms > this.#silenceMs) resolve("silence");
      }, LOOK_MS);
    });
    try {
      return await Promise.race([coming, silence]);
    } finally {
      clearInterval(watch);
    }
  }

  #hear(): void {
    if (!this.#up && this.#guest) {
      const bootMs = performance.now() - this.#started;
      this.#silenceMs = Math.max(this.#silenceMs, SILENCE_PER_BOOT * bootMs);
    }
    this.#up = true;
    this.#silence.end();
  }

  /** A process inside a system call that hangs does not even obey SIGKILL. */
  async #hung(evidence: string[]): Promise<WorkerLost> {
    const gone = await this.#link.kill();
    const end = gone ? await this.#link.ended() : CANNOT_BE_KILLED;
    const console = [...evidence, ...end.console];
    return new WorkerLost("hung", this.#where, { ...end, console }, !gone);
  }

  /** It says nothing, and the kernel does not hold it. */
  async #doesNotGoOn(): Promise<EnvironmentError> {
    const held = await this.#link.heldBy();
    const why = held.kernel ? "the kernel holds it" : held.why;
    await this.#link.kill();
    return new EnvironmentError(
      "process-failed",
      `a worker did not go on${placeText(this.#where)}: ${why}`,
      "Run again when the machine has time for it, with fewer --jobs.",
    );
  }

  async #ended(): Promise<WorkerLost | EnvironmentError> {
    const end = await this.#link.ended();
    if (!end.killed) return new WorkerLost("ended", this.#where, end, false);
    return new EnvironmentError(
      "process-failed",
      `somebody killed a worker${placeText(this.#where)}: the machine, if memory ran out (dmesg says so)`,
      "Free some memory, or run with fewer --jobs.",
    );
  }

  /** Nothing more will be asked: let the worker end. */
  finish(): Promise<void> {
    return this.#link.finish();
  }

  /** Ask the worker to end at once; it cleans up after itself. */
  stop(): void {
    this.#link.stop();
  }

  async settled(): Promise<void> {
    await this.#link.ended();
  }
}
