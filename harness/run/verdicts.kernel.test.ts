/**
 * Cases on which model and kernel would differ though the kernel is right: modelled, or judged by
 * the contract.
 */
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { KernelSubject } from "../subjects/kernel-subject.ts";
import { machineLacks } from "../system/machine.ts";
import { probeKernel } from "../subjects/probe.ts";
import { processorsHere } from "../subjects/reserve.ts";
import type { KernelTraits } from "../under-test/kernel-traits.ts";
import type { CaseResult } from "../lockstep/lockstep.ts";
import type { Operation } from "../operations/operation.ts";
import { packageRoot } from "../host/package.ts";
import { readCounterexample } from "../stored/counterexample.ts";
import { isModelled } from "../case/variant.ts";
import type { Variant } from "../case/variant.ts";
import { variantNamed } from "../under-test/variants.ts";
import { variants } from "../../images/variants.ts";
import { Session } from "../session/session.ts";
import { Confirmation } from "./confirm.ts";

const lacks = machineLacks();

const stored = (name: string) =>
  readCounterexample(join(packageRoot, "properties", "verdicts", `${name}.json`));

const tooMuch: Operation[] = [...stored("fallocate-more-than-there-is").operations];
const MIB = 2 ** 20;

let traits: KernelTraits;

beforeAll(async () => {
  if (lacks === undefined) traits = await probeKernel();
});

const write = (pos: number, len: number): Operation => ({ op: "pwrite", pos, len, readable: len });

const confirmationOf = (variant: Variant): Confirmation =>
  new Confirmation(variant, { traits, strict: false, executor: "ffi" });

describe.skipIf(lacks !== undefined)(`right kernels ${lacks?.message ?? ""}`, () => {
  test("more than half of the free space promised is modelled", async () => {
    const { variant, operations } = stored("half-the-space-delayed");
    const { divergence, handedOver } = await confirmationOf(variant).attempt(operations);
    expect(divergence).toBeUndefined();
    expect(handedOver).toBeUndefined();
  });

  test("a write allocates at once where more than two thirds are promised, as the model says", async ({
    skip,
  }) => {
    if (processorsHere().online > 2) skip("so many processors have counters that do not tell");
    // It leaves some 1,300 blocks, of which 1,024 are promised when the last write comes.
    const operations: Operation[] = [
      write(0, 4 * MIB),
      { op: "fsync" },
      write(4 * MIB, 481 * 4096),
      { op: "fsync" },
      write(8 * MIB, 4 * MIB),
      // Not beside it: 6.18 warns where a block joins an extent that is being written
      // (ext4_convert_unwritten_extents_endio()).
      write(20 * MIB, 4096),
    ];
    const { divergence, handedOver } = await confirmationOf(variantNamed("4k-small")).attempt(
      operations,
    );
    expect(divergence).toBeUndefined();
    expect(handedOver).toBeUndefined();
  });

  test.each(
    variants
      .filter((variant) => isModelled(variant) && variant.preparation?.kind !== "thin")
      .map((variant) => [variant.name, variant] as const),
  )("fallocate of more than there is on %s", async (_, given) => {
    const { divergence, handedOver } = await confirmationOf({
      ...given,
      imageSize: 16 * MIB,
    }).attempt(tooMuch);
    expect(divergence).toBeUndefined();
    expect(handedOver).toEqual({ step: 0, reason: "space" });
  });

  test.each([
    ["fast-commit-not-counted-as-commit", "feature fast_commit"],
    ["multi-mount-protection", "feature mmp"],
    ["without-features", "no feature extent"],
    ["without-huge-file", "no feature huge_file"],
  ])("%s is judged by the contract", async (name, reason) => {
    const { variant, operations } = stored(name);
    const { divergence, mounted } = await confirmationOf(variant).attempt(operations);
    expect(divergence).toBeUndefined();
    expect(mounted?.promised).toContain(reason);
  });

  test("an image that is too small for a journal is modelled without one", async () => {
    const { variant, operations } = stored("too-small-for-a-journal");
    const { divergence, mounted } = await confirmationOf(variant).attempt(operations);
    expect(divergence).toBeUndefined();
    expect(mounted?.promised).toBeUndefined();
  });

  test("a file system that does not mount after a power cut is a finding, or the kernel is mended", async () => {
    const { variant, operations } = stored("fast-commit-area-full");
    const found = await confirmationOf(variant).run(operations);
    expect(found?.message ?? "recovers-clean").toContain("recovers-clean");
    expect(found?.kind ?? "contract").toBe("contract");
  });
});

/**
 * The kernel, which after the first operation is left alone for so long that a flusher thread has
 * come.
 */
class Sleepy extends KernelSubject {
  #slept = false;

  override begin(operations?: readonly Operation[]): void {
    this.#slept = false;
    super.begin(operations);
  }

  override step(...args: Parameters<KernelSubject["step"]>): ReturnType<KernelSubject["step"]> {
    const [operation, index] = args;
    if (index === 1 && !this.#slept) {
      this.#slept = true;
      // What a flusher thread does, and the time that it takes until it does.
      super.step({ op: "sync_file_range", pos: 0, len: MIB }, 0);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
    }
    return super.step(operation, index, args[2]);
  }
}

describe.skipIf(lacks !== undefined)("a case that takes long", () => {
  const operations: Operation[] = [
    { op: "pwrite", pos: 0, len: 8192, readable: 8192 },
    { op: "pread", pos: 0, len: 100 },
    { op: "pwrite", file: 1, pos: 0, len: 4096, readable: 4096 },
    { op: "fsync" },
  ];

  async function judged(quietMs: number): Promise<CaseResult> {
    const options = { traits, strict: false, executor: "ffi" } as const;
    const session = await Session.open(variantNamed("4k-delalloc"), options, {
      open: (image) => new Sleepy(image),
    });
    try {
      return session.perform(operations, { quietMs });
    } finally {
      session.close();
    }
  }

  test("goes to the contract once the flusher may have met it", async () => {
    const { divergence, handedOver } = await judged(25);
    expect(divergence).toBeUndefined();
    expect(handedOver).toEqual({ step: 1, reason: "time" });
  });

  test("else what was written back by nobody is a divergence", async () => {
    const { divergence } = await judged(60_000);
    expect(divergence?.kind).toBe("map");
  });
});
