/**
 * Traces for tests: recordings of the model instead of a kernel, which take no root and no time.
 */
import type { Deviation } from "../../model/deviations/index.ts";
import { kernels } from "../../model/kernels/kernels.ts";
import type { KernelFacts, KernelName } from "../../model/kernels/kernels.ts";
import { modelWith } from "../lockstep/deviations.ts";
import { isRecordable } from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";
import { variantNamed } from "../under-test/variants.ts";
import { configOf, traitsOf } from "./config.ts";
import type { Step, TraceHeader, TraceHeaderV1, TraceHeaderV2 } from "./format.ts";
import type { Line } from "./lines.ts";
import { stepOf } from "./step.ts";

const common = { kernel: "6.18.44", series: "none", pageSize: 4096, seed: 101 } as const;

export const headerV1: TraceHeaderV1 = {
  ...common,
  version: 1,
  path: "buffer_head",
  mount: "delalloc",
  blockSize: 4096,
};

/** What a header of version 2 says of a kernel. */
function kernelFields(name: KernelName) {
  const { path, changes, readAheadPages = 0 }: KernelFacts = kernels[name];
  const traits = { ...traitsOf(changes), cacheIoctl: false };
  const [, series] = /^series (.*)$/.exec(name) ?? [];
  const base = { path, traits, mmapReadAround: readAheadPages };
  if (series === undefined) return { ...base, kernel: name, series: "none" };
  return { ...base, kernel: series === "v1" ? "6.12.8" : "6.19.11", series };
}

/** The header of a recording of version 2. */
export function headerV2(
  variantName = "4k-delalloc",
  kernel: KernelName = "6.18",
  freeBlocks = 57_000,
): TraceHeaderV2 {
  const variant = variantNamed(variantName);
  const mount = variant.mountOptions.join(",");
  const { blockSize } = variant;
  return { ...common, ...kernelFields(kernel), version: 2, mount, blockSize, variant, freeBlocks };
}

/** What the model with these deviations does, as steps of version 2. */
export function stepsOf(
  header: TraceHeader,
  operations: readonly Operation[],
  deviations: readonly Deviation[] = [],
): Step[] {
  const model = modelWith(configOf(header), deviations);
  let before = 0;
  return operations.filter(isRecordable).map((operation, index) => {
    const seen = model.step(operation, index);
    const step = stepOf(operation, seen, before);
    before = seen.i_size;
    return step;
  });
}

/** The lines of a trace with these cases, numbered from 0; of version 2 with its end. */
export function traceLines(header: TraceHeader, cases: readonly (readonly unknown[])[]): string[] {
  const numbered = cases.map((steps, i) => ({ case: i, steps }));
  const steps = cases.reduce((sum, { length }) => sum + length, 0);
  const end = header.version === 1 ? [] : [{ end: { cases: cases.length, steps } }];
  return [{ header }, ...numbered, ...end].map((line) => JSON.stringify(line));
}

/** Lines as a file would give them. */
export function asLines(texts: readonly string[]): Line[] {
  return texts.map((text) => ({ text, ended: true }));
}
