/**
 * Result files: what a run came to, as JSON for other programs and for `merge`.
 */
import * as z from "zod";
import { handoverReasonSchema } from "../lockstep/handover.ts";
import { divergenceKindSchema } from "../finding/divergence.ts";
import { earlierCasesSchema } from "../finding/earlier-case.ts";
import { operationsSchema } from "../operations/operation.ts";
import { withFilesAndStep } from "../operations/without-files.ts";
import type { Output } from "./output.ts";
import { readStored } from "./stored-file.ts";

const FORMAT = "ext4-conform result";
const VERSION = 1;

const text = z.string().max(10_000);
const count = z.int().min(0);
const seconds = z.number().min(0);

const mapSchema = z.array(
  z.strictObject({
    lblk: count,
    len: count,
    state: z.enum(["delayed", "unwritten", "written"]),
  }),
);

const readSchema = z.strictObject({ length: count, sha256: text, offset: count, bytes: text });

/** What a power cut left. */
const cutSchema = z.strictObject({
  commits: z.int(),
  /** Absent where it left no file. */
  file: z
    .strictObject({ i_size: count, map: mapSchema, bytes: readSchema.exactOptional() })
    .exactOptional(),
  complaints: z.array(text),
});

const observationSchema = z.strictObject({
  result: z.int(),
  i_size: count,
  st_blocks: count,
  map: mapSchema,
  pieces: count,
  reserved: z.int(),
  pages: z.strictObject({ cached: count, dirty: count }).exactOptional(),
  cache: z
    .array(
      z.strictObject({
        lblk: count,
        len: count,
        state: z.enum(["delayed", "unwritten", "written", "hole"]),
      }),
    )
    .exactOptional(),
  during: z
    .array(z.strictObject({ result: z.int(), i_size: count, reserved: z.int() }))
    .exactOptional(),
  read: readSchema.exactOptional(),
  cut: cutSchema.exactOptional(),
});

const foundSchema = z.strictObject({
  variant: text,
  /** Number of the case; -1 where it has none. */
  case: z.int(),
  divergence: z.preprocess(
    withFilesAndStep,
    z.strictObject({
      variant: text,
      step: count,
      operations: operationsSchema,
      before: earlierCasesSchema.exactOptional(),
      kind: divergenceKindSchema,
      expected: observationSchema.exactOptional(),
      seen: observationSchema.exactOptional(),
      message: text,
      evidence: z.array(text).exactOptional(),
    }),
  ),
  /** It showed again on a fresh image. */
  confirmed: z.boolean(),
  /** Known deviations that explain it, by id. */
  named: z.array(text),
});

/** Counts as they were stored under an earlier name, too. */
function withTransient(counts: unknown): unknown {
  if (typeof counts !== "object" || counts === null || !("momentary" in counts)) return counts;
  const { momentary: transient, ...rest } = counts;
  return { transient, ...rest };
}

const variantSchema = z.strictObject({
  variant: text,
  counts: z.preprocess(
    withTransient,
    z.strictObject({
      cases: count,
      operations: count,
      files: count,
      checkpoints: count,
      guesses: count,
      transient: count.default(0),
      deviations: z.record(text, count),
      handedOver: z.partialRecord(handoverReasonSchema, count).default({}),
    }),
  ),
  seconds,
  mounted: z.strictObject({
    /** Absent where the kernel did not tell. */
    path: z.enum(["buffer_head", "iomap"]).optional(),
    options: text,
    /** Absent where the model judged. */
    promised: text.exactOptional(),
  }),
});

export const resultSchema = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
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

export type TestedKernel = RunResult["kernel"];

/** What every result begins with. */
export const head = { format: FORMAT, version: VERSION } as const;

/** Read a result. @throws UsageError with one line, whatever the file holds */
export const readResult = (path: string): RunResult =>
  readStored(path, { ...head, schema: resultSchema });

/** Write a result. @throws UsageError where the output cannot be written any more */
export function writeResult(output: Output, result: RunResult): void {
  output.write(`${JSON.stringify(result, null, 2)}\n`);
}
