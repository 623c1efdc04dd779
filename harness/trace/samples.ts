/**
 * Traces for tests: recordings of the model instead of a kernel, which take no root and no time.
 */
import type { Deviation } from "../../model/deviations/index.ts";
import type { ChangeName } from "../../model/kernels/changes.ts";
import { kernels } from "../../model/kernels/kernels.ts";
import type { KernelFacts, KernelName } from "../../model/kernels/kernels.ts";
import { modelWith } from "../lockstep/deviations.ts";
import { storedObservation } from "../case/stored-observation.ts";
import type { Operation } from "../operations/operation.ts";
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

/** The traits in a header of version 2 of a kernel with these changes. */
function traitsOf(changes: readonly ChangeName[]): Omit<TraceHeaderV2["traits"], "cacheIoctl"> {
  const toBlock = changes.includes("punch-to-block") ? "block" : "page";
  return {
    largeFolios: changes.includes("large-folios"),
    prefaultFirst: !changes.includes("prepare-before-fault-in"),
    zeroesGap: changes.includes("zero-gap-first") ? "before" : "after",
    punchesTo: changes.includes("punch-to-block-at-eof") ? "block-at-eof" : toBlock,
  };
}

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

/** The header of a recording of version 3 of the same. */
export function headerV3(...of: Parameters<typeof headerV2>): TraceHeaderV3 {
  const { kernel, series, mount, seed, variant, traits, ...second } = headerV2(...of);
  const config = configOf({ kernel, series, mount, seed, variant, traits, ...second });
  const version = TRACE_VERSION;
  const told = { tool: "0.0.0", machine: "x64", kernel, series, mount, seed, variant, traits };
  return { ...told, version, config, leeway: { mayFillUp: false, filesEndEarly: false } };
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
