/**
 * Traces for tests: recordings of the model instead of a kernel, which take no root and no time.
 */
import type { Deviation } from "../../model/deviations/index.ts";
import { kernels } from "../../model/kernels/kernels.ts";
import type { KernelFacts, KernelName } from "../../model/kernels/kernels.ts";
import { modelWith } from "../lockstep/deviations.ts";
import { storedObservation } from "../case/stored-observation.ts";
import type { Operation } from "../operations/operation.ts";
import { modelConfig } from "../under-test/kernel-traits.ts";
import { variantNamed } from "../under-test/variants.ts";
import { configOf } from "./config.ts";
import type { RecordedStep } from "../workers/messages.ts";
import { TRACE_VERSION } from "./format.ts";
import type { TraceHeader, TraceHeaderV1, TraceHeaderV2, TraceHeaderV3 } from "./format.ts";
import type { Line } from "./lines.ts";

const common = { kernel: "6.18.44", series: "none", pageSize: 4096, seed: 101 } as const;

export const headerV1: TraceHeaderV1 = {
  ...common,
  version: 1,
  path: "buffer_head",
  mount: "delalloc",
  blockSize: 4096,
};

/** The header of a recording of version 2, of 6.18. */
export function headerV2(variantName = "4k-delalloc"): TraceHeaderV2 {
  const variant = variantNamed(variantName);
  return {
    ...common,
    version: 2,
    path: "buffer_head",
    mount: variant.mountOptions.join(","),
    blockSize: variant.blockSize,
    variant,
    traits: {
      largeFolios: true,
      prefaultFirst: false,
      zeroesGap: "after",
      punchesTo: "page",
      cacheIoctl: false,
    },
    freeBlocks: 57_000,
    mmapReadAround: 0,
  };
}

/** The header of a recording of version 3, of any kernel that is known. */
export function headerV3(
  variantName?: string,
  kernelName: KernelName = "6.18",
  freeBlocks = 57_000,
): TraceHeaderV3 {
  const { variant, mount, seed, traits } = headerV2(variantName);
  const facts: KernelFacts = kernels[kernelName];
  const [, series] = /^series (.*)$/.exec(kernelName) ?? [];
  return {
    version: TRACE_VERSION,
    tool: "0.0.0",
    kernel: series === undefined ? kernelName : "6.19.11",
    machine: "x64",
    series: series ?? "none",
    mount,
    seed,
    variant,
    traits,
    config: { ...modelConfig(variant, facts, freeBlocks), ...facts },
    leeway: { mayFillUp: false, filesEndEarly: false },
  };
}

/** What the model with these deviations does, as steps of version 3. */
export function stepsOf(
  header: TraceHeader,
  operations: readonly Operation[],
  deviations: readonly Deviation[] = [],
): RecordedStep[] {
  const model = modelWith(configOf(header), deviations);
  model.recordsDisk = true;
  return operations.map((operation, index) => {
    const seen = model.step(operation, index);
    return { operation, seen: storedObservation(seen) };
  });
}

/** The lines of a trace with these cases, numbered from 0; since version 2 with its end. */
export function traceLines(header: TraceHeader, cases: readonly (readonly unknown[])[]): string[] {
  const numbered = cases.flatMap((steps, i) =>
    header.version === 3 ? [{ case: i }, ...steps] : [{ case: i, steps }],
  );
  const steps = cases.reduce((sum, { length }) => sum + length, 0);
  const end = header.version === 1 ? [] : [{ end: { cases: cases.length, steps } }];
  return [{ header }, ...numbered, ...end].map((line) => JSON.stringify(line));
}

/** Lines as a file would give them. */
export function asLines(texts: readonly string[]): Line[] {
  return texts.map((text) => ({ text, ended: true }));
}
