/**
 * What the lines of a trace hold: FORMAT.md says what it means. Steps of versions 1 and 2 are in
 * `step.ts`.
 */
import * as z from "zod";
import type { Variant } from "../case/variant.ts";
import { changeNames } from "../../model/kernels/changes.ts";
import type { ModelConfig } from "../../model/tables.ts";
import { observationSchema } from "../case/stored-observation.ts";
import { operationSchema } from "../operations/operation.ts";
import { foreignVariantSchema } from "../stored/foreign-variant.ts";
import { shown } from "../stored/shown.ts";

/** The version that is written; all up to it are read. */
export const TRACE_VERSION = 3;

/** What `right` holds for, refused in one message whatever it is instead. */
export function that<T>(right: (value: unknown) => boolean, otherwise: string) {
  return z.custom<T>(right, { error: ({ input }) => `${shown(input)} ${otherwise}` });
}

export function whole(minimum: number, maximum: number) {
  return that<number>(
    (value) => Number.isInteger(value) && Number(value) >= minimum && Number(value) <= maximum,
    `is no whole number from ${minimum} to ${maximum}`,
  );
}

const count = whole(0, Number.MAX_SAFE_INTEGER);

/** What of a variant says nothing about what was recorded may be left out. */
function withDefaults(variant: unknown): unknown {
  const isObject = typeof variant === "object" && variant !== null && !Array.isArray(variant);
  return isObject ? { purpose: "", byDefault: false, ...variant } : variant;
}

const common = {
  /** As in uname -r. */
  kernel: z
    .string()
    .max(200)
    .regex(/^\d{1,3}\.\d{1,3}(?!\d)/, "is not a version"),
  /** The patches on top of it; "none" where there are none. */
  series: z.string().max(1000),
  path: z.enum(["buffer_head", "iomap"]),
  /** Mount options, commas between them. */
  mount: z.string().max(1000),
  /** Bytes. The model knows no blocks that are larger than a page. */
  blockSize: z.literal([1024, 2048, 4096]) as z.ZodType<Variant["blockSize"]>,
  /** Bytes. The model knows pages of 4 KiB only. */
  pageSize: z.literal(4096, "is not 4096, the only size of a page that the model knows"),
  seed: whole(-(2 ** 31), 2 ** 31 - 1),
};

export const headerV1Schema = z.strictObject({ version: z.literal(1).default(1), ...common });

export const headerV2Schema = z
  .strictObject({
    version: z.literal(2),
    ...common,
    variant: z.preprocess(withDefaults, foreignVariantSchema),
    /** What the kernel does that the model must be told (config.ts). */
    traits: z.strictObject({
      largeFolios: z.boolean(),
      prefaultFirst: z.boolean(),
      zeroesGap: z.enum(["before", "after"]),
      punchesTo: z.enum(["page", "block", "block-at-eof"]),
      /** The kernel shows its extent status cache: every step has `es`, else none has. */
      cacheIoctl: z.boolean(),
    }),
    /** Of the empty file system, blocks. */
    freeBlocks: whole(0, 2 ** 48),
    /** Pages that a fault brought in around the one it needed; 0 where read-ahead was off. */
    mmapReadAround: whole(0, 4096),
  })
  .refine(({ blockSize, variant }) => blockSize === variant.blockSize, {
    error: "is not that of the variant",
    path: ["blockSize"],
  });

const reserve = z.strictObject({ watermark: count, error: count, reserved: count });

/** What the model was told. */
const configSchema = z.strictObject({
  path: common.path,
  blockSize: whole(1024, 4096),
  delalloc: z.boolean(),
  remounted: z.literal(true).exactOptional(),
  journal: z.enum(["ordered", "journal", "none"]),
  dioread: z.enum(["nolock", "lock"]),
  changes: z.array(z.enum(changeNames)).max(changeNames.length).readonly(),
  readAheadPages: whole(0, 4096).exactOptional(),
  freeBlocks: whole(0, 2 ** 48),
  reserve: reserve.exactOptional(),
}) satisfies z.ZodType<ModelConfig>;

export const headerV3Schema = z
  .strictObject({
    version: z.literal(3),
    /** Of the tool: the same seed is the same operations in the same version. */
    tool: z.string().max(200),
    kernel: common.kernel,
    /** What the kernel runs on, as Node.js calls it. */
    machine: z.string().max(200),
    series: common.series,
    /** As in /proc/self/mounts. */
    mount: common.mount,
    seed: common.seed,
    variant: z.preprocess(withDefaults, foreignVariantSchema),
    /** What probing found, in words of under-test/kernel-traits.ts. */
    traits: z.record(
      z.string().max(200),
      z.union([z.boolean(), z.string().max(1000), z.array(z.string().max(200)).max(1000)]),
    ),
    config: configSchema,
    /** What the contract must know of the file system. */
    leeway: z.strictObject({ mayFillUp: z.boolean(), filesEndEarly: z.boolean() }),
    /** Why the contract alone judges it; absent where the model does. */
    promised: z.string().max(1000).exactOptional(),
  })
  .refine(({ config, variant }) => config.blockSize === variant.blockSize, {
    error: "is not that of the variant",
    path: ["config", "blockSize"],
  });

export type TraceHeaderV3 = z.infer<typeof headerV3Schema>;

/** A case of versions 1 and 2. */
export const wholeCaseSchema = z.strictObject({
  case: count,
  steps: z.array(z.unknown(), "is no list"),
});

/** The line that begins a case of version 3. */
export const caseSchema = z.strictObject({ case: count, freeBlocks: count.exactOptional() });

/** A line for each step of it. */
export const stepSchema = z.strictObject({ operation: operationSchema, seen: observationSchema });

export type TraceHeaderV1 = z.infer<typeof headerV1Schema>;
export type TraceHeaderV2 = z.infer<typeof headerV2Schema>;
export type TraceHeader = TraceHeaderV1 | TraceHeaderV2 | TraceHeaderV3;

/** By version. */
export const headerSchemas = new Map<unknown, z.ZodType<TraceHeader>>([
  [1, headerV1Schema],
  [2, headerV2Schema],
  [3, headerV3Schema],
]);

/** How much there must be before the last line since version 2. */
const countsSchema = z.strictObject({ cases: count, steps: count });
export type TraceEnd = z.infer<typeof countsSchema>;

export const endSchema = z.strictObject({ end: countsSchema });

/**
 * What nobody can see of recordings, of which `unended` are of version 1; "" where none is. Lines
 * ending in "\n".
 */
export function unendedNote(unended: number, files: number): string {
  if (unended === 0) return "";
  const which = files === 1 ? "the file is" : `${unended} of ${files} files are`;
  return `not noticed: cases missing at the end, where ${which} of version 1, which does not say how many it has\n`;
}
