/**
 * Result files: what a run came to, as JSON for other programs and for `merge`.
 */
import * as z from "zod";
import { handoverReasonSchema } from "../lockstep/handover.ts";
import { divergenceSchema } from "../finding/divergence.ts";
import { count, text } from "../finding/recorded.ts";
import { withFilesAndStep } from "../operations/without-files.ts";
import type { Output } from "./output.ts";
import { readStored } from "./stored-file.ts";

/** What every result begins with. */
export const head = { format: "ext4-conform result", version: 1 } as const;

const seconds = z.number().min(0);

/** What another kernel did with the case of a finding. */
const secondSchema = z.strictObject({
  /** uname -r */
  release: text,
  /** "other": it diverges in another way, as the message says. */
  does: z.enum(["same", "other", "as it must", "cannot"]),
  message: text.exactOptional(),
});

export type SecondKernel = z.infer<typeof secondSchema>;

/** A divergence that a worker found, confirmed it and gave it a name where it has one. */
export const foundSchema = z.strictObject({
  variant: text,
  /** Number of the case; -1 where it has none, as one of the corpus. */
  case: z.int(),
  divergence: z.preprocess(withFilesAndStep, divergenceSchema),
  /** It showed again on a fresh image. */
  confirmed: z.boolean(),
  /** Known deviations that explain it, by id. */
  named: z.array(text),
  /**
   * The promise that it breaks too, in words, where the model said that it is wrong; empty where
   * it breaks none, absent where nobody asked.
   */
  breaks: text.exactOptional(),
  /**
   * Trace events that the failing call passed, in their order, as "ext4_da_write_begin ino 12 ...";
   * absent where the kernel does not tell, or no call failed.
   */
  passed: z.array(text).exactOptional(),
  /** What a second kernel did with it; absent where none was asked. */
  second: secondSchema.exactOptional(),
  /** Cases that showed it; others that looked alike are among them. */
  met: z.int().min(1).default(1),
  /** The file by which it was accepted; absent where it was not. */
  accepted: text.exactOptional(),
});

export type FoundDivergence = z.infer<typeof foundSchema>;

/** Counts as they were stored under an earlier name, too. */
function withTransient(counts: unknown): unknown {
  if (typeof counts !== "object" || counts === null || !("momentary" in counts)) return counts;
  const { momentary: transient, ...rest } = counts;
  return { transient, ...rest };
}

/** What a run of a variant came to. */
const countsSchema = z.strictObject({
  cases: count,
  /** What cases were tried to come down to: shrunk ones, and looks further on. */
  tries: count.default(0),
  /** Operations that were applied to both and compared, of tries too. */
  operations: count,
  /** Files that were checked on disk. */
  files: count,
  checkpoints: count,
  /** Blocks whose state depended on placement and was taken from the kernel. */
  guesses: count,
  /** Times that the page cache was another one, and was not when the case was begun anew. */
  transient: count.default(0),
  /** Cases in which a known deviation had a part, by its id. */
  deviations: z.record(text, count),
  /** Cases of which the contract alone judged the end, by the reason. */
  handedOver: z.partialRecord(handoverReasonSchema, count).default({}),
});

export type RunCounts = z.infer<typeof countsSchema>;

/** Of a variant that has not begun. */
export const NOTHING_RUN: RunCounts = {
  cases: 0,
  tries: 0,
  operations: 0,
  files: 0,
  checkpoints: 0,
  guesses: 0,
  transient: 0,
  deviations: {},
  handedOver: {},
};

/** How a variant's image was mounted. */
const mountedSchema = z.strictObject({
  /**
   * What a buffered write of a new file on it was seen to take; absent where the kernel did not
   * tell.
   */
  path: z.enum(["buffer_head", "iomap"]).optional(),
  /** As in /proc/self/mounts. */
  options: text,
  /** Why the contract alone judges it; absent where the model does. */
  promised: text.exactOptional(),
});

export type Mounted = z.infer<typeof mountedSchema>;

const variantSchema = z.strictObject({
  variant: text,
  counts: z.preprocess(withTransient, countsSchema),
  seconds,
  mounted: mountedSchema,
});

export const resultSchema = z.strictObject({
  format: z.literal(head.format),
  version: z.literal(head.version),
  /** Version of the tool. */
  tool: text,
  kernel: z.strictObject({
    /** As the user named it: "host", or the path of a file. */
    what: text,
    /** "user-mode Linux" */
    kind: text,
    guest: z.boolean(),
    /** What the user added to its command line. */
    append: z.array(text),
    /** /proc/cmdline */
    commandLine: text,
    /** uname -r */
    release: text,
    machine: text,
  }),
  /** Of generated cases; absent where none were. */
  seed: z.int().exactOptional(),
  strict: z.boolean(),
  /** Cases for each variant in all shards together; absent where time was the limit. */
  cases: count.exactOptional(),
  /** Absent where it was all of it. */
  shard: z.strictObject({ index: z.int().min(1), of: z.int().min(1) }).exactOptional(),
  /** From the command to the verdict; of several shards, the longest. */
  seconds,
  /** From the command to the first case that failed; absent where none did. */
  divergedAfter: seconds.exactOptional(),
  /**
   * not-reproduced: seen once, and not again on a fresh image. incomplete: nothing was seen before
   * the run ended early, or nothing ran at all.
   */
  verdict: z.enum(["conforms", "diverges", "not-reproduced", "incomplete"]),
  /**
   * What ended it before its time: a signal, or an error in words; "still running" while it runs.
   * Absent where nothing did.
   */
  endedEarly: text.exactOptional(),
  /**
   * Variants that were not begun; of several shards, in one of them at least. Absent where all
   * were.
   */
  notRun: z.array(text).exactOptional(),
  variants: z.array(variantSchema),
  divergences: z.array(foundSchema),
});

export type RunResult = z.infer<typeof resultSchema>;

/** Read a result. @throws UsageError with one line, whatever the file holds */
export const readResult = (path: string): RunResult =>
  readStored(path, { ...head, schema: resultSchema });

/** Write a result. @throws UsageError where the output cannot be written any more */
export function writeResult(output: Output, result: RunResult): void {
  output.write(`${JSON.stringify(result, null, 2)}\n`);
}
