/**
 * Trace: what a kernel did, recorded earlier, as operations and observations. One JSON value a line: a header, then one
 * case on a fresh file after the other (properties/traces/README.md).
 *
 * Whatever a file holds, the answer is a Trace or a UsageError of one line that names the file, the line in it, the
 * field, and the reason. A case is read when it is asked for: a recording may be larger than memory.
 */
import * as fs from "node:fs";
import { pipeline } from "node:stream";
import * as zlib from "node:zlib";
import * as z from "zod";
import { UsageError } from "../failure.ts";
import { appendMerged } from "../kernel/merge.ts";
import { ModelSubject } from "../lockstep/model-subject.ts";
import type { CacheExtent, Observation } from "../observation.ts";
import { MAX_IO_BYTES, MAX_POS_BYTES } from "../operation.ts";
import type { FallocateMode, Operation } from "../operation.ts";
import { printable } from "../report/terminal.ts";

/** Characters of the longest line that is read: a case of a thousand operations has a quarter of that. */
const MAX_LINE = 64 * 2 ** 20;

const headerSchema = z.object({
  header: z.object({
    /** As in uname -r, without what follows the version. */
    kernel: z.string().regex(/^\d+\.\d+/, "is not a version"),
    /** The patches on top of it; "none" where there are none. */
    series: z.string(),
    path: z.enum(["buffer_head", "iomap"]),
    mount: z.enum(["delalloc", "nodelalloc"]),
    blockSize: z.union([z.literal(1024), z.literal(2048), z.literal(4096)]),
    pageSize: z.int().min(4096),
    seed: z.int(),
  }),
});

const states = { delalloc: "delayed", unwritten: "unwritten", written: "written" } as const;
const cacheStates = { ...states, hole: "hole" } as const;

const isSorted = (list: readonly (readonly [number, number, string])[]): boolean =>
  list.every(([lblk], i) => i === 0 || list[i - 1]![0] + list[i - 1]![1] <= lblk);

/** [first block, blocks, state], sorted. */
function extentsSchema<S extends Record<string, CacheExtent["state"]>>(names: S) {
  const state = z.enum(Object.keys(names) as (keyof S & string)[]);
  return z
    .array(z.tuple([z.int().min(0), z.int().min(1), state]))
    .refine(isSorted, "is not sorted, or overlaps");
}

/** What was seen after every operation. */
const seen = {
  ret: z.int(),
  errno: z.int().min(0),
  size: z.int().min(0).max(MAX_POS_BYTES),
  blocks512: z.int().min(0),
  delalloc: z.int(),
  fiemap: extentsSchema(states),
  es: extentsSchema(cacheStates),
};

const offset = z.int().min(0).max(MAX_POS_BYTES);
const ioLength = z.int().min(1).max(MAX_IO_BYTES);

const modes: ReadonlyMap<number, FallocateMode> = new Map([
  [0, "allocate"],
  [1, "keep_size"],
  [3, "punch_hole"],
  [0x08, "collapse_range"],
  [0x10, "zero_range"],
  [0x11, "zero_range_keep_size"],
  [0x20, "insert_range"],
]);

const stepSchema = z
  .discriminatedUnion("op", [
    z
      .object({ op: z.literal("pwrite"), offset, length: ioLength, readable: z.int().min(0) })
      .extend(seen),
    z.object({ op: z.literal("pread"), offset, length: ioLength }).extend(seen),
    z.object({ op: z.literal("fsync") }).extend(seen),
    z.object({ op: z.literal("ftruncate") }).extend(seen),
    z
      .object({
        op: z.literal("fallocate"),
        mode: z.int().refine((mode) => modes.has(mode), "is no mode that is known here"),
        offset,
        length: z.int().min(1).max(MAX_POS_BYTES),
      })
      .extend(seen),
    z
      .object({ op: z.literal("mmapwrite"), offset, length: z.int().min(0).max(MAX_IO_BYTES) })
      .extend(seen),
  ])
  .refine((s) => s.ret >= 0 || s.errno > 0, { error: "is 0, but ret is negative", path: ["errno"] })
  .refine((s) => s.op !== "pwrite" || s.readable <= s.length, {
    error: "exceeds length",
    path: ["readable"],
  })
  .refine((s) => s.op !== "mmapwrite" || s.length > 0 || s.offset >= s.size, {
    error: "is 0 inside the file",
    path: ["length"],
  });

type Step = z.infer<typeof stepSchema>;

const caseSchema = z.object({ case: z.int().min(0), steps: z.array(stepSchema) });

export type TraceHeader = z.infer<typeof headerSchema>["header"];

/** One case: what was done, and what was seen right after each operation. */
export interface TraceCase {
  number: number;
  operations: Operation[];
  observations: Observation[];
}

export interface Trace {
  header: TraceHeader;
  cases: AsyncIterable<TraceCase>;
}

function operationOf(step: Step): Operation {
  switch (step.op) {
    case "pwrite":
      return { op: "pwrite", pos: step.offset, len: step.length, readable: step.readable };
    case "pread":
      return { op: "pread", pos: step.offset, len: step.length };
    case "fsync":
      return { op: "fsync" };
    case "ftruncate":
      return { op: "ftruncate", size: step.size };
    case "fallocate":
      return {
        op: "fallocate",
        mode: modes.get(step.mode) as FallocateMode,
        pos: step.offset,
        len: step.length,
      };
    case "mmapwrite":
      // Past the end of the file nothing is stored, however long it is.
      return { op: "mmap_write", pos: step.offset, len: Math.max(step.length, 1) };
  }
}

function merged<S extends CacheExtent["state"], N extends string>(
  list: readonly (readonly [number, number, N])[],
  names: Readonly<Record<N, S>>,
): { lblk: number; len: number; state: S }[] {
  const extents: { lblk: number; len: number; state: S }[] = [];
  for (const [lblk, len, name] of list) appendMerged(extents, lblk, len, names[name]);
  return extents;
}

function observationOf(step: Step): Observation {
  const map = merged(step.fiemap, states);
  return {
    result: step.ret < 0 ? -step.errno : step.op === "mmapwrite" ? 0 : step.ret,
    i_size: step.size,
    st_blocks: step.blocks512,
    map,
    // The recording merged them. A file of more pieces has more tree blocks than `compare` then allows, and shows.
    pieces: map.length,
    reserved: step.delalloc,
    cache: merged(step.es, cacheStates),
    read: undefined,
  };
}

/** One line for a place in a trace and a reason. */
function usageError(name: string, line: number, reason: string): UsageError {
  return new UsageError(`${printable(name)}: line ${line}: ${printable(reason)}`);
}

function parseLine<T>(text: string, schema: z.ZodType<T>, name: string, line: number): T {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    throw usageError(name, line, "is not JSON");
  }
  const parsed = schema.safeParse(data);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  const where = path.length === 0 ? "" : `${z.core.toDotPath(path)}: `;
  throw usageError(name, line, where + message.replace(/^Invalid input: /, ""));
}

type Lines = AsyncIterable<string> | Iterable<string>;

async function* casesOf(lines: AsyncIterable<string>, name: string): AsyncGenerator<TraceCase> {
  let line = 1;
  for await (const text of lines) {
    line += 1;
    const { case: number, steps } = parseLine(text, caseSchema, name, line);
    const operations = steps.map(operationOf);
    yield { number, operations, observations: steps.map(observationOf) };
  }
}

async function* each(lines: Lines): AsyncGenerator<string> {
  yield* lines;
}

/**
 * The trace that `lines` hold; `name` is what messages call it.
 *
 * @throws UsageError with one line; so does iterating over the cases
 */
export async function parseTrace(lines: Lines, name: string): Promise<Trace> {
  const all = each(lines);
  const first = await all.next();
  if (first.done === true) throw usageError(name, 1, "the file is empty");
  const { header } = parseLine(first.value, headerSchema, name, 1);
  return { header, cases: casesOf(all, name) };
}

/** The lines of a file, unpacked where its name says that it is packed. */
async function* linesOf(path: string): AsyncGenerator<string> {
  const file = fs.createReadStream(path);
  const unpack = path.endsWith(".br")
    ? zlib.createBrotliDecompress()
    : path.endsWith(".gz")
      ? zlib.createGunzip()
      : undefined;
  const stream = unpack === undefined ? file : pipeline(file, unpack, () => {});
  stream.setEncoding("utf8");
  let rest = "";
  for await (const chunk of stream) {
    const parts = (rest + String(chunk)).split("\n");
    rest = parts.pop() as string;
    if (rest.length > MAX_LINE) throw new UsageError(`${printable(path)}: a line has no end`);
    yield* parts;
  }
  if (rest !== "") yield rest;
}

/** `lines`, with what the system says about a file that cannot be read or unpacked as a UsageError. */
async function* explained(lines: Lines, path: string): AsyncGenerator<string> {
  try {
    yield* lines;
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
    throw new UsageError(`${printable(path)}: cannot be read: ${String(error.code)}`);
  }
}

/**
 * Open a trace; packed with brotli or gzip where its name ends in .br or .gz.
 *
 * @throws UsageError with one line; so does iterating over the cases
 */
export async function readTrace(path: string): Promise<Trace> {
  return parseTrace(explained(linesOf(path), path), path);
}

/** The model to hold against a trace, which says how much was read and not what. */
export class ModelWithoutReads extends ModelSubject {
  override observe(...windows: Parameters<ModelSubject["observe"]>): Observation {
    return { ...super.observe(...windows), read: undefined };
  }
}
