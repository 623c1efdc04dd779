/**
 * Settings: every variant on every kind of kernel, for properties of the model that need no kernel.
 */
import * as fc from "fast-check";
import { modelConfig } from "../harness/kernel-traits.ts";
import { ModelSubject } from "../harness/lockstep/model-subject.ts";
import type { Operation } from "../harness/operation.ts";
import type { Variant } from "../harness/variant.ts";
import { variants } from "../images/variants.ts";
import type { ModelConfig, Override } from "../model/tables.ts";
import { operations } from "./arbitraries/operations.ts";

/** Kernels that differ in what the model must be told. */
const kernels = [
  ["6.12", { largeFolios: false, prefaultFirst: true, zeroesGap: "after", punchesTo: "page" }],
  ["6.18", { largeFolios: true, prefaultFirst: false, zeroesGap: "after", punchesTo: "page" }],
  ["7.1", { largeFolios: true, prefaultFirst: false, zeroesGap: "before", punchesTo: "block" }],
] as const;

export interface Setting {
  /** "4k-delalloc on 6.18" */
  name: string;
  variant: Variant;
  config: ModelConfig;
}

/** Every variant on every kernel. */
export const settings: readonly Setting[] = variants.flatMap((variant) =>
  kernels.map(([release, facts]) => {
    const traits = {
      release,
      cacheIoctl: true,
      kernelLog: true,
      atUnmount: [],
      bufferedIomap: false,
      ...facts,
    };
    const freeBlocks = Math.floor((0.9 * variant.imageSize) / variant.blockSize);
    const config = modelConfig(variant, traits, freeBlocks);
    return { name: `${variant.name} on ${release}`, variant, config };
  }),
);

/** Cases for a variant, of at most 40 operations. */
export function cases(variant: Variant): fc.Arbitrary<Operation[]> {
  return operations({ variant, maxLength: 40 });
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

/** Whether the operation is a write that ends short. */
export function isShort(operation: Operation): boolean {
  return operation.op === "pwrite" && operation.readable < operation.len;
}
