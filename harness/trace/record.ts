/**
 * `ext4-conform trace record`: what the running kernel does, written down to be checked anywhere
 * (FORMAT.md).
 */
import * as fc from "fast-check";
import { PAGE_SIZE } from "../../model/include/types.ts";
import { operations as operationsArbitrary } from "../generation/operations.ts";
import { exitStatus } from "../host/exit-status.ts";
import type { ExitStatus } from "../host/exit-status.ts";
import { EnvironmentError, UsageError } from "../case/failure.ts";
import type { KernelTraits } from "../under-test/kernel-traits.ts";
import type { MountedImage } from "../subjects/image.ts";
import { mountOptions } from "../subjects/mount.ts";
import { probeKernel } from "../subjects/probe.ts";
import { syscalls } from "../system/syscalls.ts";
import { isRecordable } from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";
import { LiveLine } from "../text/live-line.ts";
import { counted, grouped } from "../text/numbers.ts";
import { say, sayOnStandardError } from "../text/say.ts";
import { printable } from "../text/terminal.ts";
import { CASES_PER_CHUNK, chunkSeed } from "../run/chunk.ts";
import type { Executor } from "../subjects/executor.ts";
import { Session } from "../session/session.ts";
import { randomSeed } from "../run/perform.ts";
import { isModelled, isRemounted } from "../case/variant.ts";
import type { Variant } from "../case/variant.ts";
import { variantNamed } from "../under-test/variants.ts";
import { traitsOf } from "./config.ts";
import { TRACE_VERSION } from "./format.ts";
import type { Step, TraceEnd, TraceHeaderV2 } from "./format.ts";
import { stepOf } from "./step.ts";
import { headerToWrite, TraceWriter } from "./write.ts";

export interface RecordOptions {
  out: string;
  /** Name of a variant. */
  variant: string;
  cases: number;
  seed: number | undefined;
  /** Most operations in a case. */
  maxLength: number;
  /** Replace a file that is there. */
  force: boolean;
  /** Further mount options, as of a patched kernel. */
  mountOptions: readonly string[];
  /** The patches on top of the kernel, in words. */
  series: string;
}

/**
 * The header of a recording on `image`.
 *
 * @throws UsageError where it is one that `check` would refuse, as of a mount option that the model
 * does not know
 */
export function headerOf(
  image: MountedImage,
  traits: KernelTraits,
  { seed, series, path }: Pick<TraceHeaderV2, "seed" | "series" | "path">,
): TraceHeaderV2 {
  // What it lies on says nothing of what is recorded: no call meets a device without room.
  const { preparation: _, ...variant } = image.variant;
  return headerToWrite({
    version: TRACE_VERSION,
    kernel: traits.release,
    series,
    path,
    mount: mountOptions(variant).join(","),
    blockSize: variant.blockSize,
    pageSize: PAGE_SIZE,
    seed,
    variant,
    traits: { ...traitsOf(traits.changes), cacheIoctl: traits.cacheIoctl },
    freeBlocks: image.fresh.freeBlocks,
    // The kernel subject switches read-ahead off (subjects/kernel-file.ts).
    mmapReadAround: 0,
  });
}

/** Performs the operations on a fresh file and writes down what was seen. */
export function recordCase(subject: Executor, all: readonly Operation[]): Step[] {
  const operations = all.filter(isRecordable);
  subject.begin();
  let before = 0;
  const last = operations.length - 1;
  const steps = operations.map((operation, index) => {
    const seen = subject.step(operation, index, index === last);
    const step = stepOf(operation, seen, before);
    before = seen.i_size;
    return step;
  });
  subject.end();
  return steps;
}

/** The cases of `run` with the same seed, a chunk at a time. */
export function* chunksOf(
  variant: Variant,
  options: Pick<RecordOptions, "cases" | "maxLength">,
  seed: number,
): Generator<Operation[][]> {
  const arbitrary = operationsArbitrary({ variant, maxLength: options.maxLength });
  for (let chunk = 0; chunk * CASES_PER_CHUNK < options.cases; chunk++) {
    const numRuns = Math.min(CASES_PER_CHUNK, options.cases - chunk * CASES_PER_CHUNK);
    yield fc.sample(arbitrary, { numRuns, seed: chunkSeed(seed, chunk) });
  }
}

/** Lets signals through. */
const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Record the cases of `options` on a session, through `writer`. */
async function recordCases(
  { executor, variant }: Session,
  writer: TraceWriter,
  options: RecordOptions,
  seed: number,
): Promise<TraceEnd> {
  const done: TraceEnd = { cases: 0, steps: 0 };
  const line = new LiveLine(process.stderr);
  executor.wholeLooks = false;
  try {
    for (const chunk of chunksOf(variant, options, seed)) {
      for (const operations of chunk) {
        const steps = recordCase(executor, operations);
        await writer.write({ case: done.cases, steps });
        done.cases += 1;
        done.steps += steps.length;
        line.show(() => `${variant.name}: ${countsText(done)}`);
      }
      await breathe();
    }
  } finally {
    line.end();
  }
  return done;
}

function countsText({ cases, steps }: TraceEnd): string {
  return `${counted(cases, "case")}, ${counted(steps, "step")}`;
}

/** Record on a fresh image of the variant, all of it into `writer`. */
async function recordInto(
  writer: TraceWriter,
  variant: Variant,
  options: RecordOptions,
  seed: number,
): Promise<{ end: TraceEnd; on: string }> {
  const traits = await probeKernel();
  mustHavePagesOf4K();
  // Nothing is expected of what is only written down.
  const session = await Session.open(variant, { traits, strict: true, executor: "ffi" });
  try {
    const { image, config } = session;
    const { path } = config;
    const header = headerOf(image, traits, { seed, series: options.series, path });
    await writer.write({ header });
    const end = await recordCases(session, writer, options, seed);
    await writer.write({ end });
    return { end, on: `${traits.release}, path ${path}` };
  } finally {
    session.close();
  }
}

/** Throws EnvironmentError on a kernel that the model could not be held against. */
function mustHavePagesOf4K(): void {
  const bytes = syscalls().getpagesize();
  if (bytes === PAGE_SIZE) return;
  throw new EnvironmentError(
    "unsupported-platform",
    `pages have ${bytes} bytes here, and the model knows ${PAGE_SIZE} only`,
    "Run a kernel with pages of 4 KiB.",
  );
}

/**
 * Record, print what came of it; the exit status.
 *
 * @throws UsageError where the file cannot be written or the variant has no model, EnvironmentError
 * where this machine cannot record
 */
export async function traceRecord(options: RecordOptions): Promise<ExitStatus> {
  const named = variantNamed(options.variant);
  if (!isModelled(named)) {
    throw new UsageError(
      `${named.name} is judged by the contract alone: nothing could be checked of it later`,
    );
  }
  if (isRemounted(named)) {
    throw new UsageError(
      `the files of ${named.name} are older than its mount options, which a recording does not say`,
    );
  }
  const variant = { ...named, mountOptions: [...named.mountOptions, ...options.mountOptions] };
  const seed = options.seed ?? randomSeed();
  const started = performance.now();
  const writer = new TraceWriter(options.out, options.force);
  if (writer.isStandardOutput) sayOnStandardError();
  try {
    const { end, on } = await recordInto(writer, variant, options, seed);
    await writer.end();
    const speed = `${grouped((1000 * end.steps) / (performance.now() - started))} steps/s`;
    const facts = `${variant.name} on ${on}, seed ${seed}; ${speed}`;
    say(`RECORDED: ${countsText(end)} in ${printable(options.out)}; ${facts}\n`);
    return exitStatus.conforms;
  } finally {
    await writer.close();
  }
}
