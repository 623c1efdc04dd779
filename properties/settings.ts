/**
 * Settings: every variant on every kind of kernel, for properties of the model that need no kernel.
 */
import * as fc from "fast-check";
import { knownConfig } from "../harness/under-test/kernel-traits.ts";
import { ModelSubject } from "../harness/lockstep/model-subject.ts";
import { effectsOf } from "../harness/operations/operation.ts";
import type { Operation } from "../harness/operations/operation.ts";
import { isModelled, isRemounted } from "../harness/case/variant.ts";
import type { Variant } from "../harness/case/variant.ts";
import { variantNamed } from "../harness/under-test/variants.ts";
import { kernels } from "../model/kernels/kernels.ts";
import type { KernelFacts, KernelName } from "../model/kernels/kernels.ts";
import { variants } from "../images/variants.ts";
import type { Deviation, Witness } from "../model/deviations/index.ts";
import type { ModelConfig, Override } from "../model/tables.ts";
import { operations } from "../harness/generation/operations.ts";

export interface Setting {
  /** "4k-delalloc on 6.18" */
  name: string;
  variant: Variant;
  config: ModelConfig;
}

/** Kernels that properties go through: each model table that there is. */
const tried = [
  "6.12",
  "6.18",
  "7.3",
  "series v1",
  "series v2",
  "series 7.4-dev",
] as const satisfies KernelName[];

/**
 * The iomap path has neither data=journal nor dioread_lock, and mounts of it are not remounted:
 * such files use the other path, or it makes no difference.
 */
function isOn(variant: Variant, { path }: KernelFacts): boolean {
  if (path === "buffer_head") return true;
  const { journal, dioread } = variant;
  return journal === "ordered" && dioread === "nolock" && !isRemounted(variant);
}

/** The model's configuration for a variant on a known kernel. */
export function settingOf(variant: Variant, kernel: KernelName): Setting {
  const config = knownConfig(variant, kernels[kernel]);
  return { name: `${variant.name} on ${kernel}`, variant, config };
}

/** Every variant that the model knows of on every kernel. */
export const settings: readonly Setting[] = variants
  .filter(isModelled)
  .flatMap((variant) =>
    tried
      .filter((kernel) => isOn(variant, kernels[kernel]))
      .map((kernel) => settingOf(variant, kernel)),
  );

/** The setting that a deviation's witness asks for. */
export function settingFor({ kernel, variant, freeBlocks }: Witness): Setting {
  const setting = settingOf(variantNamed(variant), kernel as KernelName);
  return freeBlocks === undefined
    ? setting
    : { ...setting, config: { ...setting.config, freeBlocks } };
}

/** Cases for a variant, of at most 40 operations. */
export function cases(variant: Variant): fc.Arbitrary<Operation[]> {
  return operations({ variant, maxLength: 40, everything: true });
}

/** A model of `config` after the operations; ideal unless there are overrides. */
export function modelAfter(
  config: ModelConfig,
  list: readonly Operation[],
  overrides: readonly Override[] = [],
): ModelSubject {
  const model = new ModelSubject(config, overrides);
  for (const [i, operation] of list.entries()) model.step(operation, i);
  return model;
}

/**
 * Cases within which a deviation must be found; a run of the tool makes some hundred a second. Most
 * take 22 at most, one that needs a block that fallocate put past EOF and then a short write 104
 * for one of the seeds.
 */
const CASES_TO_FIND = 300;

/**
 * Those that take more: the first needs three calls that meet in the block of EOF, the second with
 * its end at a block's; the others one of the three in a hundred operations that are direct writes.
 */
const RARE = new Map([
  ["zero-range-loses-writes", 60_000],
  ["zero-range-keeps-bytes", 10_000],
  ["direct-write-frees-preallocation", 5000],
  ["direct-write-forgets-fault", 2000],
  ["uncounted-write-moves-size", 10_000],
  // Of delayed blocks, one must be at the end of a range that is longer than what is free.
  ["failed-zeroing-keeps-reservation", 5000],
  // One must be at the end of the largest file.
  ["last-folio-is-not-read", 60_000],
  // Of writes that pause and then fail, one needs a store into the block of EOF meanwhile.
  ["release-takes-block-of-eof", 60_000],
]);

/**
 * Cases within which a promise must be found broken: a direct read of just the blocks that stayed
 * reserved is rare, and so is a read of what was lost after it has left memory.
 */
export function casesToBreak(deviation: Pick<Deviation, "id">, promise: string): number {
  const inMemory = [
    "short-write-keeps-reservation",
    "delayed-blocks-not-new",
    "rewrite-after-error-is-lost",
  ];
  const rare = inMemory.includes(deviation.id) && promise.startsWith("read-");
  return rare ? 5000 : casesToFind(deviation);
}

/** Cases within which the deviation must be found. */
export function casesToFind({ id }: Pick<Deviation, "id">): number {
  return RARE.get(id) ?? CASES_TO_FIND;
}

/** Operations that it may take to show the deviation, shrunk: those of its witness, or two. */
export function operationsToShow({ witness }: Deviation): number {
  return Math.max(2, witness.operations.length);
}

/** Whether the operation is a write that ends short. */
export function isShort(operation: Operation): boolean {
  return (
    "readable" in operation && effectsOf(operation).direct !== true && isInterrupted(operation)
  );
}

/**
 * Whether a round of the write's copy ends early: it is short, or sleeps on the way. What that
 * leaves behind (blocks, folios, what a store meanwhile meets) is the path's own business.
 */
export function isInterrupted(operation: Operation): boolean {
  const { direct, mayEndShort } = effectsOf(operation);
  return direct !== true && mayEndShort?.(operation) === true;
}
