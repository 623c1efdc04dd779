/**
 * Executors: the ways to perform a case on a mounted image.
 */
import { EnvironmentError } from "../case/failure.ts";
import { DdSubject } from "./dd-subject.ts";
import type { MountedImage } from "./image.ts";
import type { Around } from "./passed-events.ts";
import type { KeptFile } from "./kernel-file.ts";
import { KernelSubject } from "./kernel-subject.ts";
import { withoutFaults } from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";
import type { Subject } from "../lockstep/subject.ts";

export interface Executor extends Subject {
  /** Every look is at the whole file (windows.ts). */
  wholeLooks: boolean;
  /** What is put around the call of one step, and not around the look after it. */
  aroundCall?: { step: number; around: Around } | undefined;
  /** Whether it can perform the operation at all. */
  supports(operation: Operation): boolean;
  /** End the case but leave its file for a checkpoint. */
  keep(): KeptFile;
  /** Close every descriptor into the file system, so that it can be unmounted; ends the case. */
  release(): void;
}

/**
 * `ffi` calls the kernel in process; `dd` starts a program for every call, a few hundred times
 * slower.
 */
export const EXECUTORS = ["ffi", "dd"] as const;
export type ExecutorName = (typeof EXECUTORS)[number];

export function openExecutor(name: ExecutorName, image: MountedImage): Executor {
  return name === "dd" ? new DdSubject(image) : new KernelSubject(image);
}

/**
 * Release on the way out: on a file system that the kernel has given up the last file cannot even
 * be removed.
 */
export function releaseAnyway(executor: Executor): void {
  try {
    executor.release();
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
  }
}

/** What is left of a case that an executor is to perform. */
export function supported(executor: Executor, operations: Operation[]): Operation[] {
  if (operations.every((operation) => executor.supports(operation))) return operations;
  return operations
    .map((operation) => (executor.supports(operation) ? operation : withoutFaults(operation)))
    .filter((operation) => executor.supports(operation));
}
