/**
 * Exploration files: what was driven and found of an exploration that takes longer than one sitting.
 */
import { existsSync } from "node:fs";
import * as z from "zod";
import { ALPHABETS } from "./alphabet.ts";
import type { AlphabetName } from "./alphabet.ts";
import { unpackEdges } from "./driven.ts";
import { UsageError } from "../case/failure.ts";
import { checksumFault, withChecksum } from "../stored/checksum.ts";
import { writeOutput } from "../stored/output.ts";
import { foundSchema } from "../stored/result.ts";
import { readStored } from "../stored/stored-file.ts";

const FORMAT = "ext4-conform exploration";

/** 2: with a checksum. One without is not read: whether it is damaged nobody could tell. */
const VERSION = 2;

/** More numbers than the edges of any graph have. */
const MAX_EDGES = 2 ** 28;

/**
 * Bytes of the largest file: a bit an edge of several variants, which hardly deflates where every
 * other edge was driven.
 */
const MAX_BYTES = 2 ** 28;

const drivenSchema = z
  .strictObject({
    graph: z.string().regex(/^[0-9a-f]{64}$/),
    size: z.int().min(0).max(MAX_EDGES),
    edges: z.base64(),
    diverged: z.base64().exactOptional(),
  })
  .refine((driven) => unpackEdges(driven) !== undefined, { message: "is no set of edges" });

const explorationSchema = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  /** uname -r */
  release: z.string().max(200),
  /** Tells builds of one release apart. */
  build: z.string().max(500),
  blocks: z.int().min(1),
  /** Operations of the longest path; absent for all states. */
  depth: z.int().min(1).exactOptional(),
  alphabet: z.enum(Object.keys(ALPHABETS) as [AlphabetName]),
  strict: z.boolean(),
  /** By variant. */
  driven: z.record(z.string().max(200), drivenSchema),
  /** What was found, of which the edges that diverged are not driven again. */
  found: z.array(foundSchema).default([]),
  /** Of all before it, as it stands in the file. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

export type StoredExploration = Omit<
  z.infer<typeof explorationSchema>,
  "format" | "version" | "sha256"
>;

/**
 * The exploration that is stored there; undefined where there is no such file. @throws UsageError
 * with one line
 */
export function readExploration(path: string): StoredExploration | undefined {
  if (!existsSync(path)) return undefined;
  const { sha256: _, ...exploration } = readStored(path, {
    format: FORMAT,
    version: VERSION,
    schema: explorationSchema,
    maxBytes: MAX_BYTES,
    fault: checksumFault,
  });
  return exploration;
}

/** Store it, in place of what was there. @throws UsageError where the path cannot be written */
export function writeExploration(path: string, exploration: StoredExploration): void {
  writeOutput(path, withChecksum({ format: FORMAT, version: VERSION, ...exploration }));
}

/** @throws UsageError where what is stored there is of something else than is asked for now */
export function mustBeSame(
  path: string,
  stored: StoredExploration,
  asked: Omit<StoredExploration, "driven" | "found">,
): void {
  for (const what of ["release", "build", "blocks", "depth", "alphabet", "strict"] as const) {
    if (stored[what] === asked[what]) continue;
    const [was, is] = [stored[what], asked[what]].map((value) => String(value ?? "unlimited"));
    const name = { release: "kernel", build: "build of the kernel" }[what as string] ?? what;
    throw new UsageError(
      `${path} is of another exploration: its ${name} is ${was}, not ${is}. Name another file, or ask for the same.`,
    );
  }
}
