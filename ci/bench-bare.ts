/**
 * The bare system calls of a case: those that the kernel subject makes, with the same probes and
 * windows, prepared beforehand, and nothing done with what they return.
 */
import { patternTag } from "../model/include/pattern.ts";
import { kernelCall } from "../harness/operations/on-kernel.ts";
import { clampOperation } from "../harness/operations/operation.ts";
import type { Operation } from "../harness/operations/operation.ts";
import type { BlockRange } from "../harness/case/observation.ts";
import { ExtentReader } from "../harness/system/fiemap.ts";
import type { MountedImage } from "../harness/subjects/image.ts";
import { KernelFile } from "../harness/subjects/kernel-file.ts";
import type { KernelSubject } from "../harness/subjects/kernel-subject.ts";
import { STATX_BLOCKS, STATX_SIZE } from "../harness/system/syscalls.ts";

/** One step as it was taken. */
export interface BareStep {
  operation: Operation | undefined;
  windows: readonly BlockRange[] | undefined;
}

/** Runs a case once, to learn the calls it comes to. */
export function prepare(subject: KernelSubject, operations: readonly Operation[]): BareStep[] {
  subject.begin();
  let i_size = 0;
  const last = operations.length - 1;
  const steps = operations.map((operation, index) => {
    const clamped = clampOperation(operation, i_size);
    const seen = subject.step(operation, index, index === last);
    i_size = seen.i_size;
    return { operation: clamped, windows: seen.windows };
  });
  subject.end();
  return steps;
}

export class BareCalls {
  readonly file: KernelFile;
  readonly #extents: ExtentReader;

  constructor(image: MountedImage) {
    this.file = new KernelFile(image);
    this.#extents = new ExtentReader(image.variant.blockSize);
  }

  step({ operation, windows }: BareStep, index: number): void {
    const { file } = this;
    if (operation !== undefined && kernelCall(operation) !== undefined) {
      file.call(operation, patternTag(index));
    }
    file.stat(STATX_SIZE | STATX_BLOCKS);
    this.#extents.ask(file.fd, windows);
    file.readCounter();
  }
}
