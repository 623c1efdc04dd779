/**
 * Subject: something that operations can be applied to and that can be looked at. The model is one,
 * the kernel another; nothing above this interface knows which it talks to.
 */
import { EnvironmentError } from "../case/failure.ts";
import type { Observation } from "../case/observation.ts";
import type { Operation } from "../operations/operation.ts";

/**
 * The kernel would not say what it is asked after a step, or would not make the file: its file
 * system is damaged. That is a finding where a case is performed. Elsewhere it ends the run like
 * anything else that cannot be done here, and is no mistake of this program.
 */
export class LookFailed extends EnvironmentError {
  constructor(message: string) {
    const remedy = "Look at the kernel log (dmesg) for an error of the file system.";
    super("process-failed", message, remedy);
  }
}

export interface Subject {
  readonly name: string;
  /**
   * What the last step amounted to where it was more than what was asked for: the operation, and
   * those after it that came with it.
   */
  readonly performed?: readonly Operation[] | undefined;
  /**
   * Blocks that are free, and not promised to anybody, as the file system counts them; absent where
   * nobody can ask.
   */
  readonly freeBlocks?: number | undefined;
  /**
   * Looks wait longer for what the kernel does behind a call: the page cache was another one, and
   * on a busy machine a kernel thread may not have come to it yet.
   */
  patient?: boolean;
  /**
   * Begin a case: a fresh, empty file. Ends the case before, if there is one. `operations`: what is
   * to come, where that is known.
   */
  begin(operations?: readonly Operation[]): void;
  /**
   * Apply an operation, then look. `index` is the operation's place in the case and chooses the
   * bytes it writes (`model/include/pattern.ts`), so that two writes of a case never store the same
   * data. `last`: the case ends with this one, so the look after it leaves nothing out. Throws
   * LookFailed where the kernel refuses to be looked at.
   */
  step(operation: Operation, index: number, last?: boolean): Observation;
  /** End the case and remove its file. */
  end(): void;
}
