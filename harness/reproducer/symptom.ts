/**
 * Symptom: what a program must look at to show what a case is about, and what it must see there.
 * The values are those of the model as it should be, without any deviation but what a caller puts
 * into it; no kernel is asked.
 */
import { BUFFERED_IOMAP } from "../../images/variants.ts";
import type { Deviation } from "../../model/deviations/deviation.ts";
import { NEWEST, kernelOfRelease, kernels } from "../../model/kernels/kernels.ts";
import type { KernelFacts, KernelName } from "../../model/kernels/kernels.ts";
import { bytesAt, unknownBytes } from "../../model/file-system.ts";
import type { ModelConfig } from "../../model/tables.ts";
import { blocksHeld, dataRanges, sameMap } from "../case/extents.ts";
import { UsageError } from "../case/failure.ts";
import type { CachedPages, CutFile, Extent, Observation } from "../case/observation.ts";
import { MAX_POS_BYTES } from "../case/limits.ts";
import { NOT_MODELLED, mayFillUp } from "../case/variant.ts";
import type { Variant } from "../case/variant.ts";
import { promises } from "../contract/promises.ts";
import type { ContractPromise } from "../contract/step/step.ts";
import { treeBlocksMax } from "../contract/step/accounts.ts";
import type { DivergenceKind } from "../finding/severity.ts";
import { modelWith } from "../lockstep/deviations.ts";
import type { ModelSubject } from "../lockstep/model-subject.ts";
import { modelCall } from "../operations/on-model.ts";
import { describeOperation, effectsOf } from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";
import type { Counterexample } from "../stored/counterexample.ts";
import { expectedFile } from "../session/expected-file.ts";
import { knownConfig } from "../under-test/kernel-traits.ts";
import { runsOf } from "./runs.ts";
import type { Run } from "./runs.ts";

/** What is looked at of a file; absent: it is not. */
export interface FileLook {
  i_size?: number;
  /** 512-byte units, and how many blocks of an extent tree may come on top. */
  st_blocks?: { units: number; tree: number };
  map?: readonly Extent[];
  /** The entries of the extent status cache are true of that map. */
  cache?: readonly Extent[];
  pages?: CachedPages;
  /** Blocks reserved for delayed allocation, of the file system. */
  reserved?: number;
  bytes?: readonly Run[];
}

/** Where a file is looked at. */
export type Place =
  /** As it is, after the last operation. */
  | "mounted"
  /** On a copy of the image as it is then, mounted elsewhere. */
  | "after a power cut"
  /** Once it was unmounted and mounted again. */
  | "mounted again";

/** What is looked at once the file system is unmounted. */
export type AtUnmount = "kernel log" | "e2fsck" | "free blocks" | "mount";

export interface Symptom {
  /** The known kernel by whose model it is said; absent where no model was asked. */
  kernel?: KernelName;
  /** What the last operation must return; absent: it is not looked at. */
  result?: number;
  /** What it must have read, from byte 0 of its buffer on. */
  read?: readonly Run[];
  /** The last operation is a pause, or a power cut, of which this is looked at. */
  during?: Observation["during"];
  place: Place;
  /** The file, where it is looked at; undefined where there must be none. */
  file: FileLook | undefined;
  atUnmount?: AtUnmount;
  /** Sizes of the file that each operation is about, before it; bytes. */
  sizes: readonly number[];
  /** What each operation must return; none are known where no model was asked. */
  results: readonly number[];
  /** The sizes during the pause that it is, before each operation of that. */
  sizesInPause: readonly (readonly number[])[];
  /** What is seen depends on a look at the file after every operation. */
  takesLooks: boolean;
}

/** The known kernel that stands for the case's. */
function kernelFor({ variant, kernel }: Counterexample, running: string): KernelName {
  const { name } = kernelOfRelease(kernel?.release ?? running);
  const asked = variant.mountOptions.includes(BUFFERED_IOMAP) ? "iomap" : "buffer_head";
  if ((kernel?.path ?? asked) === "buffer_head") return name;
  return name === NEWEST ? "series 7.4-dev" : "series v2";
}

function configFor(variant: Variant, kernel: KernelName): ModelConfig {
  // What a program reads ahead it says itself, as the harness does: nothing.
  const known: KernelFacts = kernels[kernel];
  const { readAheadPages: _, ...facts } = known;
  return knownConfig(variant, facts);
}

/** The model after operations, looked at after each of them where `looks`. */
interface Done {
  model: ModelSubject;
  sizes: number[];
  results: number[];
  sizesInPause: number[][];
  seen: Observation;
  /** Extents of the file, at most. */
  pieces: number;
}

/** What comes of the operation must not be up to the allocator. */
function mustBeKnown(model: ModelSubject, operation: Operation): void {
  const placed = effectsOf(operation).direct === true && model.inode.maybeZeroed.size > 0;
  if (!placed && !model.isBeyond) return;
  const why = placed ? "on where the allocator puts blocks" : "on how many blocks are left";
  throw new UsageError(`what comes of ${describeOperation(operation)} depends ${why}`);
}

function perform(model: ModelSubject, operations: readonly Operation[], looks: boolean): Done {
  model.begin(operations);
  const sizes: number[] = [];
  const results: number[] = [];
  const sizesInPause: number[][] = [];
  let pieces = 0;
  for (const [i, operation] of operations.entries()) {
    model.turnTo(operation);
    sizes.push(model.inode.i_size);
    model.apply(operation, i);
    results.push(model.result ?? 0);
    mustBeKnown(model, operation);
    if (!looks) continue;
    const seen = model.observe(undefined);
    pieces = Math.max(pieces, seen.pieces);
    sizesInPause.push((seen.during ?? []).map(({ i_size }) => i_size));
  }
  const seen = model.observe(undefined);
  return { model, sizes, results, sizesInPause, seen, pieces: Math.max(pieces, seen.pieces) };
}

const sameLook = (a: Observation, b: Observation): boolean =>
  a.result === b.result &&
  a.i_size === b.i_size &&
  a.reserved === b.reserved &&
  a.st_blocks === b.st_blocks &&
  a.pages?.cached === b.pages?.cached &&
  a.pages?.dirty === b.pages?.dirty &&
  sameMap(a.map, b.map);

/** Of a hole that is longer only both ends are read, bytes. */
const LONGEST_HOLE = 2 ** 20;
const END_OF_HOLE = 64 * 1024;

/** The file's bytes, of long stretches without data only their ends. */
function contentsOf(
  size: number,
  map: readonly Extent[],
  blockSize: number,
  at: (pos: number, len: number) => Run[],
): Run[] {
  const runs: Run[] = [];
  const hole = (pos: number, end: number): void => {
    if (end <= pos) return;
    if (end - pos <= LONGEST_HOLE) runs.push(...at(pos, end - pos));
    else runs.push(...at(pos, END_OF_HOLE), ...at(end - END_OF_HOLE, END_OF_HOLE));
  };
  let end = 0;
  for (const { lblk, len, state } of map) {
    const [from, to] = [lblk * blockSize, Math.min(size, (lblk + len) * blockSize)];
    if (state === "unwritten" || to <= from) continue;
    hole(end, from);
    runs.push(...at(from, to - from));
    end = to;
  }
  hole(end, size);
  return joined(runs);
}

/** Neighbours that are one. */
function joined(runs: readonly Run[]): Run[] {
  const result: Run[] = [];
  for (const run of runs) {
    const last = result.at(-1);
    const goesOn =
      last !== undefined &&
      last.pos + last.len === run.pos &&
      last.from?.tag === run.from?.tag &&
      (last.from === undefined || last.from.readable - last.len === run.from?.readable);
    if (goesOn) last.len += run.len;
    else result.push({ ...run });
  }
  return result;
}

function bytesOf({ model, seen }: Done, blockSize: number): Run[] {
  const { inode } = model;
  return contentsOf(seen.i_size, seen.map, blockSize, (pos, len) => {
    const unknown = unknownBytes(inode, pos, len);
    const relative = unknown.map(({ start, end }) => ({ start: start - pos, end: end - pos }));
    return runsOf(bytesAt(inode, pos, len), pos, relative);
  });
}

/** What the last operation must have read. */
function readOf({ model, seen }: Done, operation: Operation): Run[] | undefined {
  if (seen.read === undefined) return undefined;
  const unknown = modelCall(operation)?.unknown?.(model.inode, operation, seen.read.length) ?? [];
  return runsOf(seen.read, 0, unknown);
}

const unitsOf = (map: readonly Extent[], blockSize: number): number =>
  (blocksHeld(map) * blockSize) / 512;

/** The file as it must be once all of it is on disk. */
function onDisk(
  { model, pieces }: Done,
  blockSize: number,
): Required<Pick<FileLook, "i_size" | "map" | "st_blocks" | "bytes">> {
  const { inode } = model;
  if (model.result !== undefined) model.apply({ op: "fsync" }, 0);
  const file = expectedFile(inode, "", 0);
  const bytes = contentsOf(file.i_size, file.map, blockSize, (pos, len) => {
    const unknown = file.unknown?.(pos, len) ?? [];
    const relative = unknown.map(({ start, end }) => ({ start: start - pos, end: end - pos }));
    return runsOf(file.readExpected(pos, len), pos, relative);
  });
  const st_blocks = {
    units: unitsOf(file.map, blockSize),
    tree: treeBlocksMax(pieces, blockSize),
  };
  return { i_size: file.i_size, map: file.map, st_blocks, bytes };
}

/** A file as a power cut must leave it. */
function cutFile({ i_size, map, bytes }: CutFile, blockSize: number): FileLook {
  if (bytes === undefined) return { i_size, map };
  let at = 0;
  const runs = dataRanges({ i_size, map }, blockSize).flatMap(({ pos, end }) => {
    const part = runsOf(bytes.subarray(at, (at += end - pos)), pos);
    return part;
  });
  return { i_size, map, bytes: runs };
}

type Shown = Omit<Symptom, "kernel" | "sizes" | "results" | "sizesInPause" | "takesLooks">;

/** The same of what was synced: as it is, whatever the operation. */
function afterCut(done: Done, operation: Operation, blockSize: number): Shown {
  const place = "after a power cut";
  const { cut } = done.seen;
  if (cut === undefined) {
    if (effectsOf(operation).syncsAll !== true) {
      throw new UsageError(
        `${describeOperation(operation)} does not sync the file: what a power cut leaves after it is not known`,
      );
    }
    const { i_size, map, bytes } = onDisk(done, blockSize);
    return { place, file: { i_size, map, bytes } };
  }
  if (cut.unsure === true) {
    throw new UsageError(`what ${describeOperation(operation)} finds depends on the clock`);
  }
  return { place, file: cut.file && cutFile(cut.file, blockSize) };
}

/** All that a program can see of a file that is mounted. */
function everything(done: Done, operation: Operation, blockSize: number): Shown {
  const { seen, pieces } = done;
  if (seen.cut !== undefined) return afterCut(done, operation, blockSize);
  const { result, i_size, map, reserved, pages, during } = seen;
  const read = readOf(done, operation);
  const st_blocks = { units: seen.st_blocks, tree: treeBlocksMax(pieces, blockSize) };
  const bytes = bytesOf(done, blockSize);
  const look = { i_size, st_blocks, map, reserved, bytes, ...(pages && { pages }) };
  return {
    result,
    ...(read && { read }),
    ...(during && { during }),
    place: "mounted",
    file: look,
  };
}

type Shows = (all: Shown, done: Done, operation: Operation, blockSize: number) => Shown;

/** Of all that can be seen of a mounted file, some. */
const some =
  (...fields: readonly (keyof FileLook)[]): Shows =>
  ({ place, file = {} }) => ({
    place,
    file: Object.fromEntries(fields.map((field) => [field, file[field]])),
  });

/** What may have shown during a pause is looked at there. */
const withPause =
  (shows: Shows): Shows =>
  (all, ...rest) => ({ ...shows(all, ...rest), ...(all.during && { during: all.during }) });

const again =
  (...fields: readonly ("i_size" | "map" | "st_blocks" | "bytes")[]): Shows =>
  (_, done, _operation, blockSize) => {
    const file = onDisk(done, blockSize);
    return {
      place: "mounted again",
      file: Object.fromEntries(fields.map((field) => [field, file[field]])),
    };
  };

const unmounting =
  (atUnmount: AtUnmount): Shows =>
  () => ({ place: "mounted", file: {}, atUnmount });

const all: Shows = (shown) => shown;

/** Nothing but that it gets there. */
const getsThere: Shows = () => ({ place: "mounted", file: {} });

const shown: Readonly<Record<Exclude<DivergenceKind, "contract">, Shows>> = {
  result: withPause(({ result, place }) => ({
    ...(result !== undefined && { result }),
    place,
    file: {},
  })),
  i_size: withPause(some("i_size")),
  map: some("map"),
  reserved: withPause(some("reserved")),
  cache: ({ place, file }) => ({ place, file: file?.map ? { cache: file.map } : {} }),
  st_blocks: some("st_blocks"),
  read: ({ read, place }) => ({ ...(read && { read }), place, file: {} }),
  "power-cut": (_, ...rest) => afterCut(...rest),
  "power-cut-map": (_, ...rest) => afterCut(...rest),
  pages: some("pages"),
  "on-disk-map": again("map"),
  "on-disk-size": again("i_size"),
  "on-disk-blocks": again("st_blocks"),
  contents: again("bytes"),
  e2fsck: unmounting("e2fsck"),
  "free-blocks": unmounting("free blocks"),
  mount: unmounting("mount"),
  "kernel-log": unmounting("kernel log"),
  hang: getsThere,
  panic: getsThere,
};

/** The promise that a stored case says is broken; undefined where it says of none that we know. */
function promiseOf({ divergence, claim }: Counterexample): ContractPromise | undefined {
  if (divergence?.kind !== "contract") return undefined;
  const { message } = divergence;
  return promises.find((one) => one.claim === claim || message.includes(`: ${one.id}. `));
}

/** All that a promise is about, of one file in one place. */
function aboutPromise({ about }: ContractPromise): Shows {
  const each = about.map((kind) => (kind === "contract" ? all : shown[kind]));
  return (...seen) => {
    const looks = each.map((shows) => shows(...seen));
    return looks.reduce((one, other) => ({
      ...one,
      ...other,
      file: one.file && other.file && { ...one.file, ...other.file },
    }));
  };
}

/** What the case's divergence is about. */
function showsOf(counterexample: Counterexample): Shows {
  const { divergence } = counterexample;
  if (divergence === undefined) return all;
  if (divergence.kind !== "contract") return shown[divergence.kind];
  const promise = promiseOf(counterexample);
  return promise === undefined ? all : aboutPromise(promise);
}

/** Operations of a case up to the one that shows what it is about. */
export const operationsShown = ({ operations, divergence }: Counterexample): Operation[] =>
  divergence === undefined ? operations : operations.slice(0, divergence.step + 1);

/** Of a file system that is full, of which only this is known: after a sync nothing is delayed. */
function promised(counterexample: Counterexample): Symptom {
  const operations = operationsShown(counterexample);
  const last = operations.at(-1)!;
  const promise = promiseOf(counterexample);
  if (promise !== undefined && !promise.about.includes("reserved")) {
    throw new UsageError(
      `that ${promise.id} is broken cannot be shown without what a right kernel does: ${NOT_MODELLED}`,
    );
  }
  if (effectsOf(last).syncsAll !== true) {
    throw new UsageError(
      `after ${describeOperation(last)} nobody can say what must be seen: ${NOT_MODELLED}`,
    );
  }
  const sizes = operations.map(() => MAX_POS_BYTES);
  const known = { sizes, results: [], sizesInPause: sizes.map(() => []), takesLooks: false };
  return { place: "mounted", file: { reserved: 0 }, ...known };
}

/**
 * The symptom of a stored case: what its divergence is about, or else all that can be seen.
 *
 * @param running release of the kernel that stands for the case's, where that names none
 * @param seeded bugs of the model that says what must be: it is wrong then
 * @throws UsageError where the model cannot say what must be, with one line
 */
export function symptomOf(
  counterexample: Counterexample,
  running: string,
  seeded: readonly Deviation[] = [],
): Symptom {
  const { variant } = counterexample;
  if (mayFillUp(variant)) return promised(counterexample);
  const operations = operationsShown(counterexample);
  const last = operations.at(-1)!;
  const kernel = kernelFor(counterexample, running);
  const config = configFor(variant, kernel);
  const done = perform(modelWith(config, seeded), operations, false);
  const looked = perform(modelWith(config, seeded), operations, true);
  const takesLooks = !sameLook(done.seen, looked.seen);
  const base = takesLooks ? looked : { ...done, pieces: looked.pieces };
  const seen = everything(base, last, variant.blockSize);
  const guesses = base.model.inode.maybeZeroed.size > 0;
  const symptom = showsOf(counterexample)(seen, base, last, variant.blockSize);
  const { sizes, results } = done;
  const rest = { kernel, sizes, results, sizesInPause: looked.sizesInPause, takesLooks };
  return { ...(guesses ? withoutMap(symptom, last) : symptom), ...rest };
}

/**
 * What is left to look at where blocks may be zeroed, and written, or not, which depends on what
 * lies beside them on the disk (model/ext4/zeroout.ts).
 */
function withoutMap({ file = {}, ...rest }: Shown, last: Operation): Shown {
  const { map: _, cache: __, ...left } = file;
  if (Object.keys(left).length > 0) return { ...rest, file: left };
  throw new UsageError(
    `after ${describeOperation(last)} the state of blocks depends on where the allocator put them`,
  );
}

/** Whether its bytes are looked at, so that what lies in free space matters. */
export const looksAtBytes = ({ file, read }: Symptom): boolean =>
  file?.bytes !== undefined || read !== undefined;

/** Whether all that is looked at is what the last operation looks at itself. */
export const looksInPassing = ({ place }: Symptom, last: Operation): boolean =>
  place === "after a power cut" && effectsOf(last).cutsPower === true;

/** "0+2 written, 4+1 delayed", as the programs print it. */
export const mapText = (map: readonly Extent[]): string =>
  map.map(({ lblk, len, state }) => `${lblk}+${len} ${state}`).join(", ") || "no blocks";
