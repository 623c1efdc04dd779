/**
 * Operation: one call on the file under test, as plain data.
 *
 * Operands are bytes. They may be out of range for the file as it is when the operation runs:
 * `clampOperation` brings them into range when it is applied, so every subsequence of a sequence is
 * a valid sequence and shrinking never produces one that cannot run.
 *
 * Each has a folder here with all that there is to know of it. Whoever asks about an operation asks
 * for an effect of it (aspects/effects.ts), and never for its name.
 */
import * as z from "zod";
import type { Effects } from "../aspects/effects.ts";
import * as comb from "./comb/operation.ts";
import * as copy_range from "./copy_range/operation.ts";
import * as direct_read from "./direct_read/operation.ts";
import * as direct_write from "./direct_write/operation.ts";
import * as drop_cache from "./drop_cache/operation.ts";
import * as fallocate from "./fallocate/operation.ts";
import * as fsync from "./fsync/operation.ts";
import * as ftruncate from "./ftruncate/operation.ts";
import * as mmap_write from "./mmap_write/operation.ts";
import * as paused_write from "./paused_write/operation.ts";
import * as power_cut from "./power_cut/operation.ts";
import * as pread from "./pread/operation.ts";
import * as pwrite from "./pwrite/operation.ts";
import * as sync_file_range from "./sync_file_range/operation.ts";
import * as unlink from "./unlink/operation.ts";
import { withFiles } from "./without-files.ts";

export const operationSchema = z.discriminatedUnion("op", [
  pwrite.schema,
  direct_write.schema,
  direct_read.schema,
  mmap_write.schema,
  pread.schema,
  fsync.schema,
  sync_file_range.schema,
  ftruncate.schema,
  fallocate.schema,
  power_cut.schema,
  unlink.schema,
  drop_cache.schema,
  paused_write.schema,
  copy_range.schema,
  comb.schema,
]);

export type Operation = z.infer<typeof operationSchema>;
export type OperationName = Operation["op"];
export type OperationOf<N extends OperationName> = Extract<Operation, { op: N }>;

const effects: { readonly [N in OperationName]: Effects<OperationOf<N>> } = {
  pwrite: pwrite.effects,
  direct_write: direct_write.effects,
  direct_read: direct_read.effects,
  mmap_write: mmap_write.effects,
  pread: pread.effects,
  fsync: fsync.effects,
  sync_file_range: sync_file_range.effects,
  ftruncate: ftruncate.effects,
  fallocate: fallocate.effects,
  power_cut: power_cut.effects,
  unlink: unlink.effects,
  drop_cache: drop_cache.effects,
  paused_write: paused_write.effects,
  copy_range: copy_range.effects,
  comb: comb.effects,
};

/** The effects of operations of its name; the functions take operations of that name only. */
export const effectsOf = ({ op }: { op: OperationName }): Effects<Operation> => effects[op];

/** Operations of the longest sequence that is stored. */
export const MAX_OPERATIONS = 100_000;

/** A stored sequence of operations, also as it was stored before operations had files. */
export const operationsSchema = z.preprocess(
  withFiles,
  z.array(operationSchema).max(MAX_OPERATIONS),
);

/** The same of at least one. */
export const someOperationsSchema = z.preprocess(
  withFiles,
  z.array(operationSchema).min(1).max(MAX_OPERATIONS),
);

/** Which of the case's two files it is about: the one that it changes. */
export function fileOf(operation: Operation): 0 | 1 {
  const { into } = effectsOf(operation);
  return into === undefined ? (operation.file ?? 0) : into(operation).file;
}

/** The bytes that it names in that file, at most; undefined where it names none. */
export function targetOf(operation: Operation): { pos: number; len: number } | undefined {
  if (!("pos" in operation)) return undefined;
  const { into } = effectsOf(operation);
  return into === undefined ? operation : { pos: into(operation).pos, len: operation.len };
}

/** Where the bytes that it writes come from; undefined where that is no file. */
export function sourceOf(operation: Operation): { file: 0 | 1; pos: number } | undefined {
  if (!("pos" in operation) || effectsOf(operation).into === undefined) return undefined;
  return { file: operation.file ?? 0, pos: operation.pos };
}

/** `operation`, about that file. */
export function inFile<O extends Operation>(operation: O, file: 0 | 1): O {
  if (fileOf(operation) === file) return operation;
  const key = effectsOf(operation).into === undefined ? "file" : "to";
  const { [key as "file"]: _, ...rest } = operation;
  return (file === 0 ? rest : { ...rest, [key]: file }) as O;
}

/** What comes behind `operations`: about the file that the last of them is about. */
export function behind(operations: readonly Operation[], more: readonly Operation[]): Operation[] {
  const last = operations.at(-1);
  const file = last === undefined ? 0 : fileOf(last);
  return [...operations, ...more.map((one) => inFile(one, file))];
}

/** Whether the device has no room while it is performed. */
export function isStarved(operation: Operation): boolean {
  return "starved" in operation && operation.starved === true;
}

/** Which allocation of memory fails while it is performed; undefined where all succeed. */
export function failNthOf(operation: Operation): number | undefined {
  return "fail_nth" in operation ? operation.fail_nth : undefined;
}

/** Why a program of somebody else's does not do that. */
export const NEEDS_FAULT_INJECTION =
  "only a kernel built with fault injection fails an allocation on purpose";

/** What it cannot do without and not every kernel or variant has; undefined where that is nothing. */
export function takenBy(operation: Operation): string | undefined {
  const taken = [
    effectsOf(operation).takes?.(operation),
    isStarved(operation) ? "a device that can run out of room: a variant as 4k-thin" : undefined,
    failNthOf(operation) === undefined
      ? undefined
      : "fault injection: a kernel with what `kernel config` prints",
  ].filter((one) => one !== undefined);
  return taken.length === 0 ? undefined : taken.join("; ");
}

/** Whether the machine fails it on purpose. */
export function isInjected(operation: Operation): boolean {
  return isStarved(operation) || failNthOf(operation) !== undefined;
}

/** The same with room and memory for everything. */
export function withoutFaults(operation: Operation): Operation {
  if (!isInjected(operation)) return operation;
  const { starved: _, fail_nth: __, ...rest } = operation as OperationOf<"fsync">;
  return rest;
}

/** Whether it waits for the device, so that it can say what that refused. */
export const meetsDevice = (operation: Operation): boolean =>
  effectsOf(operation).meetsDevice?.(operation) === true;

/** Whether an allocation of memory may fail while it is performed. */
export const canLackMemory = (operation: Operation): boolean =>
  effectsOf(operation).canLackMemory?.(operation) === true;

/** Whether the device may have no room while it is performed. */
export function canStarve(operation: Operation): boolean {
  const { canStarve: can } = effectsOf(operation);
  return meetsDevice(operation) && can?.(operation) !== false;
}

/** Whether versions 1 and 2 of recordings can hold it. */
export const isRecordable = (operation: Operation): boolean =>
  !isInjected(operation) &&
  fileOf(operation) === 0 &&
  effectsOf(operation).recordable?.(operation) === true;

/** Whether it moves blocks. */
export const movesBlocks = (operation: Operation): boolean =>
  effectsOf(operation).movesBlocks?.(operation) === true;

/** Whether its result is how many bytes it wrote. */
export const isWrite = (operation: Operation): boolean => effectsOf(operation).result === "written";

/** Operations that are performed in the middle of it. */
export const duringOf = (operation: Operation): readonly Operation[] =>
  (effectsOf(operation).during?.(operation) ?? []) as readonly Operation[];

/**
 * The operation as it is applied to a file of `i_size` bytes. Returns undefined where nothing is
 * left to do (a store wholly past i_size); both subjects then skip the call and report result 0.
 */
export function clampOperation<O extends Operation>(operation: O, i_size: number): O | undefined {
  const { clamp } = effectsOf(operation);
  return clamp === undefined ? operation : (clamp(operation, i_size) as O | undefined);
}

/**
 * Why an operation is not applied as it stands to a file of `i_size` bytes; undefined where it is.
 */
export const clampedWhy = (operation: Operation, i_size: number): string | undefined =>
  effectsOf(operation).clampedWhy?.(operation, i_size);

/** Whether a case is about two files. */
export const hasTwoFiles = (operations: readonly Operation[]): boolean =>
  operations.some((one) => fileOf(one) === 1 || sourceOf(one)?.file === 1);

/** Files that a case has, one after the other and two at a time. */
export function filesOf(operations: readonly Operation[]): number {
  const replaced = operations.filter((one) => effectsOf(one).replacesFile).length;
  return 1 + replaced + (hasTwoFiles(operations) ? 1 : 0);
}

/** What says that the machine fails it, beside the other operands. */
function injectedIn(operation: Operation): string[] {
  const nth = failNthOf(operation);
  return [
    ...(isStarved(operation) ? ["no room"] : []),
    ...(nth === undefined ? [] : [`fail_nth=${nth}`]),
  ];
}

/** One line a person can read, in the notation of the calls. */
export function describeOperation(operation: Operation): string {
  const other = operation.file === 1 ? ["file=1"] : [];
  const words = [...other, ...effectsOf(operation).operands(operation), ...injectedIn(operation)];
  return `${operation.op}(${words.join(", ")})`;
}

/** What it is called where there is little room. */
export const shortNameOf = (operation: Operation): string =>
  effectsOf(operation).shortName?.(operation) ?? operation.op;
