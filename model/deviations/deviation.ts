/**
 * Deviation: a named difference between what the write path promises and what some real or seeded
 * kernel does. It replaces entries of the model's table; nothing else in the model knows that it
 * exists.
 */
import type { ModelConfig, Override } from "../tables.ts";

/** The shortest sequence that shows a deviation, and what it needs. */
export interface Witness {
  /** A name of model/kernels/kernels.ts. */
  readonly kernel: string;
  /** A name of images/variants.ts. */
  readonly variant: string;
  /** Free blocks of the file system, where they must be few; absent for what the variant has. */
  readonly freeBlocks?: number;
  readonly operations: readonly object[];
  /** Another sequence, for kernels on which that one shows nothing. */
  readonly also?: readonly object[];
}

export interface Deviation {
  /** Short and unique, as it appears in reports and on the command line. */
  readonly id: string;
  /** What goes wrong, one sentence. */
  readonly claim: string;
  /**
   * The worst that it means to whoever has data on such a file system, as
   * harness/finding/severity.ts ranks it; absent of a bug that nobody has.
   */
  readonly severity?: "data" | "file system" | "size or space" | "accounting" | "page cache";
  /** Why, in terms of the kernel's code. */
  readonly reason: string;
  /** Kernels, or "seeded". */
  readonly seenIn: readonly string[];
  /**
   * Where it shows: after an operation; after an operation, but only in what cachestat(2) counts,
   * or after a power cut; on disk at a checkpoint; only in the kernel log at unmount, and in what
   * cachestat(2) counts before; only after a power cut.
   */
  readonly visible: "step" | "page cache" | "checkpoint" | "unmount" | "power cut";
  /** The path it belongs to; absent where it shows on both. */
  readonly path?: ModelConfig["path"];
  /** Promises of the contract that it breaks, by id (harness/contract/promises.ts). */
  readonly breaks: readonly string[];
  /**
   * The operation that it takes, where it is not any write: where no model follows, nothing is
   * excused before one.
   */
  readonly takes?: "short copy" | "zero_range" | "failed zero_range";
  readonly witness: Witness;
  readonly override: Override;
}

/** A bug that nobody has, of which no promise has to be excused. */
export function seeded(bug: Omit<Deviation, "seenIn" | "breaks" | "severity">): Deviation {
  return { ...bug, seenIn: ["seeded"], breaks: [] };
}
