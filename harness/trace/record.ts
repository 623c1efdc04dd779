/**
 * `ext4-conform trace record`: what a kernel does, written down to be checked anywhere (FORMAT.md).
 */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { EnvironmentError, UsageError } from "../case/failure.ts";
import type { Variant } from "../case/variant.ts";
import { kernelUnderTest } from "../guest/under-test.ts";
import type { UnderTestOptions } from "../guest/under-test.ts";
import { exitStatus } from "../host/exit-status.ts";
import type { ExitStatus } from "../host/exit-status.ts";
import { packageVersion } from "../host/package.ts";
import { Conversation, WorkerLost } from "../run/conversation.ts";
import { endingOnSignal } from "../run/signalled.ts";
import { mustBeWritable } from "../stored/output.ts";
import { LiveLine } from "../text/live-line.ts";
import { counted, grouped } from "../text/numbers.ts";
import { say, sayOnStandardError } from "../text/say.ts";
import { printable } from "../text/terminal.ts";
import type { KernelTraits } from "../under-test/kernel-traits.ts";
import { HANG_SECONDS } from "../workers/link.ts";
import type { Message, RecordedImage, Recording } from "../workers/messages.ts";
import { TRACE_VERSION } from "./format.ts";
import type { TraceEnd } from "./format.ts";
import { headerToWrite, TraceWriter } from "./write.ts";

export interface RecordOptions extends UnderTestOptions, Omit<Recording, "variant" | "traits"> {
  /** "host", or the file of a kernel that runs in a guest. */
  kernel: string;
  /** A file, or for several variants a folder. */
  out: string;
  variants: readonly Variant[];
  /** Replace a file that is there. */
  force: boolean;
  /** Further mount options, as of a patched kernel. */
  mountOptions: readonly string[];
  /** The patches on top of the kernel, in words. */
  series: string;
}

/** One recording of several: of what, and where it is written. */
interface Part {
  variant: Variant;
  path: string;
  writer: TraceWriter;
}

/** A file for each variant: the one that was named, or in the folder of that name. */
function pathsOf({ out, variants }: RecordOptions): string[] {
  const isFolder = out.endsWith("/") || (existsSync(out) && statSync(out).isDirectory());
  if (variants.length === 1 && !isFolder) return [out];
  if (out === "-") throw new UsageError("standard output takes the recording of one variant");
  mustBeWritable(out, "recordings");
  return variants.map(({ name }) => join(out, `${name}.jsonl.br`));
}

function countsText({ cases, steps }: TraceEnd): string {
  return `${counted(cases, "case")}, ${counted(steps, "step")}`;
}

/** The first line of a recording of `image`. */
function headerLine(
  { mounted, ...image }: RecordedImage,
  { release: kernel, machine, ...traits }: KernelTraits,
  { seed, series }: Pick<RecordOptions, "seed" | "series">,
) {
  const { options: mount, promised } = mounted;
  return {
    header: headerToWrite({
      version: TRACE_VERSION,
      tool: packageVersion(),
      kernel,
      machine,
      series,
      mount,
      seed,
      traits,
      ...image,
      ...(promised !== undefined && { promised }),
    }),
  };
}

/** Have a worker record one variant, and write what it tells. */
async function recordPart(
  conversation: Conversation,
  { variant, path, writer }: Part,
  traits: KernelTraits,
  options: RecordOptions,
): Promise<void> {
  const { seed, cases, maxLength, powerCuts, deepTrees } = options;
  const started = performance.now();
  const done: TraceEnd = { cases: 0, steps: 0 };
  const line = new LiveLine(process.stderr);
  let on = traits.release;
  const take = async (message: Message): Promise<void> => {
    if (message.type === "image") {
      on = `${traits.release}, path ${message.image.config.path}`;
      await writer.write(headerLine(message.image, traits, options));
    }
    if (message.type !== "recorded") return;
    const { freeBlocks, steps } = message;
    await writer.write({ case: done.cases, freeBlocks });
    for (const step of steps) await writer.write(step);
    done.cases += 1;
    done.steps += steps.length;
    line.show(() => `${variant.name}: ${countsText(done)}`);
  };
  const recording = { variant, seed, cases, maxLength, powerCuts, deepTrees, traits };
  try {
    await conversation.ask({ type: "record", recording }, "done", take);
  } finally {
    line.end();
  }
  await writer.write({ end: done });
  await writer.end();
  const speed = `${grouped((1000 * done.steps) / (performance.now() - started))} steps/s`;
  const facts = `${variant.name} on ${on}, seed ${seed}; ${speed}`;
  say(`RECORDED: ${countsText(done)} in ${printable(path)}; ${facts}\n`);
}

/**
 * Record each variant, print what came of it; the exit status.
 *
 * @throws UsageError where a file cannot be written, EnvironmentError where this machine cannot
 *   record, or the kernel did not live to be recorded
 */
export async function traceRecord(options: RecordOptions): Promise<ExitStatus> {
  const parts: Part[] = [];
  try {
    for (const [i, path] of pathsOf(options).entries()) {
      const named = options.variants[i]!;
      const mountOptions = [...named.mountOptions, ...options.mountOptions];
      const writer = new TraceWriter(path, options.force);
      parts.push({ variant: { ...named, mountOptions }, path, writer });
      if (writer.isStandardOutput) sayOnStandardError();
    }
    const kernel = await kernelUnderTest(options.kernel, options);
    const conversation = new Conversation(kernel, HANG_SECONDS[kernel.guest ? "guest" : "host"]);
    await endingOnSignal([conversation], async () => {
      const { traits } = await conversation.ask({ type: "probe" }, "traits");
      for (const part of parts) await recordPart(conversation, part, traits, options);
      await conversation.finish();
    });
    return exitStatus.conforms;
  } catch (error) {
    if (!(error instanceof WorkerLost)) throw error;
    throw new EnvironmentError(
      "process-failed",
      `nothing more could be recorded: ${error.message}`,
      "Find out with run, of the same kernel, variant and seed, which case it was.",
    );
  } finally {
    for (const { writer } of parts) await writer.close();
  }
}
