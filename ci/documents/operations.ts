/**
 * docs/operations.md: what is done to a file, and to which file systems, as the schemas, the
 * effects and images/variants.ts have it.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { variants } from "../../images/variants.ts";
import { isModelled } from "../../harness/case/variant.ts";
import type { Variant } from "../../harness/case/variant.ts";
import type { Effects } from "../../harness/aspects/effects.ts";
import { packageRoot } from "../../harness/host/package.ts";
import { effectsOf, operationSchema } from "../../harness/operations/operation.ts";
import type { Operation, OperationName } from "../../harness/operations/operation.ts";
import { describeResult } from "../../harness/text/errno.ts";
import { parseCounterexample } from "../../harness/stored/counterexample.ts";
import { caseText } from "./case-text.ts";
import { GENERATED, codes, fenced, joined, table } from "./markdown.ts";

/** What an operand means, by its name. */
const OPERANDS: Readonly<Record<string, string>> = {
  pos: "where it begins, bytes",
  len: "how long it is, bytes",
  file: "which of the case's two files it is about; 0 where it is absent, and both stay open",
  readable:
    "only so many bytes of the buffer, from its start, are mapped: fewer than `len` makes a short write, 0 makes EFAULT",
  iov: "the buffer in pieces of these lengths, as `pwritev2` takes it",
  nowait:
    "`SYNC_FILE_RANGE_WRITE` alone: the call does not wait for what it writes; the look after it does",
  append: "`RWF_APPEND`: it goes to the end of the file, whatever `pos` is",
  sync: "`RWF_DSYNC` (data) or `RWF_SYNC` (all)",
  dontcache:
    "`RWF_DONTCACHE`, where the kernel begins to write back within the call (6.18 does, 7.3 does not); else it is left out",
  limit: "`RLIMIT_FSIZE` during the call, bytes",
  starved:
    "meanwhile the device is out of room, on a thin variant; `no room` in a report ([a device without room](exploring.md#a-device-without-room))",
  fail_nth:
    "allocation of memory number so many of the call fails, on a kernel with fault injection ([without memory](exploring.md#without-memory))",
  pause_at: "the writer sleeps inside the kernel at this byte of its buffer",
  during: "what is performed meanwhile: a list of operations, without `file`",
  after: "then it goes on (continue), or its memory is taken away and it ends short (fault)",
  mode: "as the flags of fallocate(2); allocate is none of them",
  size: "the new size, bytes",
  to: "the file that it writes to; 0 where it is absent",
  to_pos: "where it writes there, bytes",
  call: "what is done to each tooth: `pwrite`, or fallocate(2) in that mode",
  tooth: "how long a tooth is, bytes; not longer than `stride`",
  stride: "from where a tooth begins to where the next one does, bytes",
  backwards: "the last tooth comes first",
};

interface Field {
  const?: unknown;
  enum?: readonly unknown[];
  minimum?: number;
  maximum?: number;
  type?: string;
  anyOf?: readonly Field[];
}

interface Shape {
  properties: Readonly<Record<string, Field>>;
  required?: readonly string[];
}

/** The operations as JSON Schema, by name. */
function shapes(): [name: OperationName, shape: Shape][] {
  const { oneOf } = z.toJSONSchema(operationSchema) as unknown as { oneOf: readonly Shape[] };
  return oneOf.map((shape) => [shape.properties["op"]!.const as OperationName, shape]);
}

/** What an operand may be. */
function rangeOf({ const: only, enum: some, anyOf, minimum, maximum, type }: Field): string {
  if (only !== undefined) return `\`${JSON.stringify(only)}\``;
  if (some !== undefined) return codes(some.map((one) => JSON.stringify(one)));
  if (anyOf !== undefined) return anyOf.map(rangeOf).join(", ");
  if (type === "array") return "a list";
  if (minimum === undefined || maximum === undefined) return type ?? "";
  const most = maximum === Number.MAX_SAFE_INTEGER ? "" : ` to ${maximum.toLocaleString("en")}`;
  return most === "" ? `${minimum} or more` : `${minimum}${most}`;
}

/** The comment at the head of its folder. */
function claimOf(name: OperationName): string {
  const file = join(packageRoot, "harness", "operations", name, "operation.ts");
  const [, comment = ""] = /^\/\*\*\n(.*?)\n \*\//s.exec(readFileSync(file, "utf8")) ?? [];
  return comment.replaceAll(/^ \* ?/gm, "").replaceAll(/\s+/g, " ");
}

const RESULTS = {
  written: "bytes written",
  read: "bytes read",
  status: "0",
  calls: "how many of its calls did all that they were to",
} as const;

/** "EINVAL" */
const errnoName = (errno: number): string => describeResult(errno).replace(/^\S+ /, "");

function resultText({ result, errors = [] }: Effects<Operation>): string {
  const names = codes(errors.map(errnoName));
  const refused = names === "" ? "" : `; it may be refused with ${names}, whatever the file`;
  return `- Returns ${RESULTS[result]}, or an error${refused}.`;
}

/** What is declared of it, in words. */
function effectsText(op: OperationName): string {
  const effects = effectsOf({ op });
  const { begins, direct, replacesFile, cutsPower, changesNothing } = effects;
  return [
    resultText(effects),
    ...(direct === true ? ["- It goes past the page cache."] : []),
    ...(changesNothing === true ? ["- It changes nothing of the file."] : []),
    ...(replacesFile === true ? ["- The case goes on with a new file of the same name."] : []),
    ...(cutsPower === true ? ["- It looks at a copy of the image."] : []),
    `- Begins in the kernel at \`${begins.kernel}\`, in the model at \`${begins.model}\`.`,
  ].join("\n");
}

function sectionOf([name, { properties, required = [] }]: [OperationName, Shape]): string {
  const operands = Object.entries(properties).filter(([operand]) => operand !== "op");
  const rows = operands.map(([operand, field]) => {
    const meaning = OPERANDS[operand];
    if (meaning === undefined) throw new Error(`ci/documents/operations.ts lacks ${operand}`);
    const absent = required.includes(operand) ? "" : ", or absent";
    return [`\`${operand}\``, `${rangeOf(field)}${absent}`, meaning];
  });
  const list = table(["operand", "it may be", "it means"], rows);
  return [`### ${name}`, claimOf(name), list, effectsText(name)].join("\n\n");
}

/** Bytes in the largest unit that divides them. */
const sizeText = (bytes: number): string => `${bytes / 2 ** 20} MiB`;

function variantRow(variant: Variant): string[] {
  const { name, purpose, blockSize, imageSize, mkfsOptions, mountOptions, byDefault } = variant;
  const options = [
    ...(mkfsOptions.length === 0 ? [] : [`mkfs.ext4 ${mkfsOptions.join(" ")}`]),
    ...(mountOptions.length === 0 ? [] : [`-o ${mountOptions.join(",")}`]),
  ];
  return [
    `\`${name}\``,
    purpose,
    String(blockSize),
    sizeText(imageSize),
    options.length === 0 ? "" : codes(options),
    isModelled(variant) ? "model and contract" : "contract alone",
    byDefault ? "yes" : "",
  ];
}

const EXAMPLE = {
  format: "ext4-conform counterexample",
  version: 1,
  variant: "4k-delalloc",
  operations: [
    { op: "pwrite", pos: 0, len: 8192, readable: 5000 },
    { op: "fallocate", mode: "punch_hole", pos: 4096, len: 4096 },
    { op: "fsync" },
  ],
};

const INTRODUCTION = [
  "## A case is a file",
  "What a run saves, and what `replay` reads, is JSON that is meant to be edited. By hand it needs no more than this:",
  fenced(caseText(parseCounterexample(JSON.stringify(EXAMPLE), "example")), "json"),
  '`"before": [{ "operations": [...] }, ...]` names cases that are run first on the same file system, each with a file of its own, which goes when the next one begins or, with `"kept": true`, stays to the end. A run writes that where one case shows what another has left.',
  "All numbers are bytes. An operation is one call on one file, and every case begins with an empty one. Up to eight cases in a hundred work on two files: reservations and commits are the file system's.",
  "Operands may be out of range for the file as it is: an operation is brought into range, or left out, when it is applied. `replay` says of each what was cut (`clamped: ...`).",
];

const VARIANTS = [
  "## Variants",
  "A variant is a file system under test: how it is made, how it is mounted, what is done to it. `run` takes those of the last column unless `--variant` names others; `all` is all of them. On a kernel that offers `buffered_iomap` each is run with it too, as `NAME-iomap`. `ext4-conform variants --json` has all of this as data.",
];

/** The document, by its path in docs/. */
export function operationsDocument(): [path: string, text: string] {
  const heads = [
    "variant",
    "what it is for",
    "block",
    "image",
    "made and mounted with",
    "judged by",
    "by default",
  ];
  const text = joined(
    "# Operations and variants",
    GENERATED,
    ...INTRODUCTION,
    "## Operations",
    ...shapes().map(sectionOf),
    ...VARIANTS,
    table(heads, variants.map(variantRow)),
  );
  return ["operations.md", text];
}
