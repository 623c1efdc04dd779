/**
 * A guest that went down: which case did it, and what is the least that does.
 *
 * Every suspect runs by itself in a guest, on a fresh image. A guest that survives one serves for
 * the next.
 */
import type { Divergence, DivergenceKind } from "../finding/divergence.ts";
import { operations as operationsArbitrary } from "../generation/operations.ts";
import { faultPoints } from "../generation/fault-points.ts";
import { caseNumbered, caseSource } from "./chunk.ts";
import { Conversation, WorkerLost } from "./conversation.ts";
import type { KernelTraits } from "../under-test/kernel-traits.ts";
import type { KernelUnderTest } from "../workers/link.ts";
import type { Assignment, Attempt, Attempted, NewFinding, Work } from "../workers/messages.ts";
import type { Operation } from "../operations/operation.ts";
import { shrinkCase } from "./shrink.ts";
import type { Variant } from "../case/variant.ts";

/**
 * Milliseconds for finding the suspect that does it, and for shrinking it: an attempt may take a
 * boot.
 */
const SEARCH_MS = 60_000;
const SHRINK_MS = 60_000;

/** Lines of the guest's console that go into a report. */
const EVIDENCE_LINES = 60;

/** The first line of a crash report, and of a complaint about a task that does not get on. */
const CRASH = /Kernel panic|kernel BUG|BUG:|Oops|general protection|Kernel mode fault|Segfault/;
const STUCK =
  /blocked for more than|blocked in the kernel|come out of the kernel|lockup|detected stall/;

/** A case by itself takes milliseconds: silence says sooner that it hangs than it does in a run. */
const ATTEMPT_SHARE = 4;

/** The divergence that losing a worker in the middle of `operations` is. */
export function lostDivergence(
  lost: WorkerLost,
  variant: string,
  operations: Operation[],
): Divergence {
  const kind: DivergenceKind = lost.how === "hung" ? "hang" : "panic";
  const { console: lines, reason } = lost.end;
  const first = lines.findIndex((line) => (kind === "hang" ? STUCK : CRASH).test(line));
  const evidence = first < 0 ? [] : lines.slice(first, first + EVIDENCE_LINES);
  const message = kind === "hang" ? "no system call returned any more" : reason;
  return { variant, step: Math.max(0, operations.length - 1), operations, kind, message, evidence };
}

/** Runs cases one by one, each on a fresh image, and survives it when the kernel does not. */
export class Attempts {
  readonly #kernel: KernelUnderTest;
  readonly #silenceSeconds: number;
  #conversation: Conversation | undefined;

  constructor(kernel: KernelUnderTest, silenceSeconds: number) {
    this.#kernel = kernel;
    this.#silenceSeconds = kernel.guest ? silenceSeconds / ATTEMPT_SHARE : silenceSeconds;
  }

  /** What the kernel does. Throws WorkerLost where it does not live to say. */
  probe(): Promise<{ traits: KernelTraits }> {
    this.#conversation ??= new Conversation(this.#kernel, this.#silenceSeconds);
    return this.#conversation.ask({ type: "probe" }, "traits");
  }

  /**
   * The divergence that the case shows, the death of its kernel among them. Throws
   * EnvironmentError.
   */
  async run(attempt: Attempt): Promise<Attempted> {
    this.#conversation ??= new Conversation(this.#kernel, this.#silenceSeconds);
    try {
      return await this.#conversation.ask({ type: "attempt", attempt }, "attempted");
    } catch (error) {
      this.#conversation = undefined;
      if (!(error instanceof WorkerLost) || !this.#kernel.guest) throw error;
      const { variant, operations, before } = attempt;
      const divergence = lostDivergence(error, variant.name, operations);
      return { divergence: before === undefined ? divergence : { ...divergence, before } };
    }
  }

  stop(): void {
    this.#conversation?.stop();
  }

  async finish(): Promise<void> {
    await this.#conversation?.finish();
    this.#conversation = undefined;
  }
}

/** The cases of a run by their numbers. */
function casesOf(work: Work, variant: Variant): (number: number) => Operation[] {
  switch (work.kind) {
    case "generate": {
      const { arbitrary, seed } = caseSource(variant, work);
      return (number) => caseNumbered(arbitrary, seed, number);
    }
    case "enumerate": {
      const listed = faultPoints(work.operations, variant.blockSize);
      return (number) => listed[number] ?? [];
    }
    case "explore":
      // Its walks are told as they are.
      return () => [];
  }
}

/** The cases that may have brought the kernel down, the likeliest first. */
function suspectsOf({ where }: WorkerLost, variant: Variant, { work }: Assignment): Operation[][] {
  const numbered = casesOf(work, variant);
  if (where.trying !== undefined) return [[...where.trying]];
  if (where.atCheckpoint) {
    const walks = where.keptWalks.map((walk) => [...walk]);
    return [...where.kept.map(numbered), ...walks].toReversed();
  }
  return where.case === undefined ? [] : [numbered(where.case)];
}

/** Find out what the worker was doing when it was lost, and the least that does it. */
export async function investigate(
  lost: WorkerLost,
  variant: Variant,
  assignment: Assignment,
  attempts: Attempts,
): Promise<NewFinding> {
  const { strict, executor, traits } = assignment;
  const suspects = suspectsOf(lost, variant, assignment);
  const number = lost.where.case ?? -1;
  const attempt = async (operations: Operation[]): Promise<Divergence | undefined> => {
    const asked = { variant, operations, strict, executor, traits, name: false };
    return (await attempts.run(asked)).divergence;
  };
  const { kind, evidence } = lostDivergence(lost, variant.name, []);
  const end = Date.now() + SEARCH_MS;
  for (const suspect of suspects) {
    const again = await attempt(suspect);
    if (again?.kind === kind) {
      const arbitrary = operationsArbitrary({ variant, maxLength: suspect.length });
      const least = await shrinkCase(suspect, again, arbitrary, attempt, SHRINK_MS);
      // An attempt that hangs is ended before the kernel notices that a task is stuck.
      const divergence = kind === "hang" ? { ...least, evidence: evidence ?? [] } : least;
      return { variant: variant.name, case: number, divergence, confirmed: true, named: [] };
    }
    if (Date.now() > end) break;
  }
  const divergence = lostDivergence(lost, variant.name, suspects[0] ?? []);
  return { variant: variant.name, case: number, divergence, confirmed: false, named: [] };
}
