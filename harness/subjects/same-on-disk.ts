/**
 * Comparing a file with what it must be: on disk, as debugfs lists it, and as the kernel reads it
 * back after a fresh mount.
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { bytesText } from "../case/bytes.ts";
import { firstDifferentByte } from "../finding/divergence.ts";
import { blocksHeld, sameMap } from "../case/extents.ts";
import type { Extent } from "../case/observation.ts";
import type { ExtentReader } from "../system/fiemap.ts";
import type { OnDiskFile } from "./on-disk.ts";

/** A file as it must be once everything is written back. */
export interface ExpectedFile {
  path: string;
  ino: number;
  /** Bytes. */
  i_size: number;
  /** Unwritten and written blocks; nothing is delayed any more. */
  map: readonly Extent[];
  /** The last fsync of it failed, so a power cut may leave anything of it. */
  unsynced?: true;
  /**
   * Whether the kernel warns at unmount that data of this file will be lost; undefined where it may
   * or may not.
   */
  warnsAtUnmount: boolean | undefined;
  /**
   * The bytes that reading `len` bytes at `pos` must return; called only for ranges below i_size.
   */
  readExpected(pos: number, len: number): Uint8Array;
  /** Where of `len` bytes at `pos` anything may be read; nowhere, where absent. */
  unknown?(pos: number, len: number): { start: number; end: number }[];
  /** The same after a power cut, besides. */
  unknownAfterCut?(pos: number, len: number): { start: number; end: number }[];
}

export type FindingKind =
  /** e2fsck or debugfs found the file system inconsistent. */
  | "inconsistent"
  | "size"
  | "map"
  | "blocks"
  | "free-blocks"
  | "mount"
  | "contents"
  | "kernel-log"
  /** The kernel did not warn of what is tagged dirty. */
  | "silence";

export interface Finding {
  kind: FindingKind;
  /** The file it is about; undefined where it is about the file system. */
  path: string | undefined;
  message: string;
}

/**
 * Bytes compared at a time, and the most that is read at each end of a range that holds no data.
 */
const CHUNK_BYTES = 1024 * 1024;
const PROBE_BYTES = 64 * 1024;

export const SECTOR = 512;

/** "0+2 written, 4+1 unwritten" */
function describeMap(map: readonly Extent[]): string {
  return map.map(({ lblk, len, state }) => `${lblk}+${len} ${state}`).join(", ") || "no blocks";
}

/** Collects findings about one file, or about the file system. */
export type Report = (kind: FindingKind, message: string) => void;

/** Size, extents and block count on disk. */
export function compareOnDisk(
  expected: ExpectedFile,
  disk: OnDiskFile,
  bytesPerBlock: number,
  report: Report,
): void {
  if (disk.i_size !== expected.i_size) {
    report("size", `on disk i_size is ${disk.i_size}, expected ${expected.i_size}`);
  }
  if (!sameMap(disk.extents, expected.map)) {
    report(
      "map",
      `on disk are ${describeMap(disk.extents)}; expected ${describeMap(expected.map)}`,
    );
  }
  const data = blocksHeld(disk.extents);
  const held = ((data + disk.treeBlocks) * bytesPerBlock) / SECTOR;
  if (disk.st_blocks !== held) {
    report(
      "blocks",
      `on disk i_blocks is ${disk.st_blocks}, but ${data} data and ${disk.treeBlocks} tree blocks are ${held}`,
    );
  }
}

/** Bytes [pos, end) of a file. */
interface Range {
  pos: number;
  end: number;
}

/** Both ends of a range that holds no data: it may be terabytes long. */
function* probe(pos: number, end: number): Generator<Range> {
  const head = Math.min(end, pos + PROBE_BYTES);
  if (pos < head) yield { pos, end: head };
  if (head < end) yield { pos: Math.max(head, end - PROBE_BYTES), end };
}

/**
 * What is worth reading: all data, the ends of unwritten extents and of holes, the end of the file.
 */
function* rangesToRead(file: ExpectedFile, bytesPerBlock: number): Generator<Range> {
  let at = 0;
  for (const { lblk, len, state } of file.map) {
    const start = Math.min(lblk * bytesPerBlock, file.i_size);
    const end = Math.min((lblk + len) * bytesPerBlock, file.i_size);
    yield* probe(at, start);
    if (state === "unwritten") yield* probe(start, end);
    else {
      for (let pos = start; pos < end; pos += CHUNK_BYTES) {
        yield { pos, end: Math.min(end, pos + CHUNK_BYTES) };
      }
    }
    at = end;
  }
  yield* probe(at, file.i_size);
}

const readBuffer = Buffer.alloc(CHUNK_BYTES + 1);

/** Reads a file back; reports the first byte that differs. */
function compareContents(
  fd: number,
  file: ExpectedFile,
  bytesPerBlock: number,
  report: Report,
): void {
  for (const { pos, end } of rangesToRead(file, bytesPerBlock)) {
    const expected = file.readExpected(pos, end - pos);
    // One byte more than there is at the end of the file: the read must stop there.
    const asked = end === file.i_size ? end - pos + 1 : end - pos;
    const got = readBuffer.subarray(0, readSync(fd, readBuffer, 0, asked, pos));
    for (const { start, end: to } of file.unknown?.(pos, end - pos) ?? []) {
      expected.set(got.subarray(start - pos, to - pos), start - pos);
    }
    if (got.equals(expected)) continue;
    const at = firstDifferentByte(expected, got);
    report(
      "contents",
      `after a fresh mount, from byte ${pos + at} on, it has ${bytesText(got, at)}, expected ${bytesText(expected, at)}`,
    );
    return;
  }
}

/** Whether a system call failed; anything else is a mistake of this program. */
const isOfSystem = (error: unknown): error is Error => error instanceof Error && "syscall" in error;

/**
 * What the kernel says of a file after a fresh mount, against the expectation and against what is
 * on disk.
 */
export function compareMounted(
  file: ExpectedFile,
  disk: OnDiskFile | undefined,
  reader: ExtentReader,
  bytesPerBlock: number,
  report: Report,
): void {
  let fd: number;
  try {
    fd = openSync(file.path, "r");
  } catch (error) {
    if (!isOfSystem(error)) throw error;
    report("contents", `cannot be opened after a fresh mount: ${error.message}`);
    return;
  }
  try {
    const { size, blocks } = fstatSync(fd);
    if (disk !== undefined && size !== disk.i_size) {
      report("size", `after a fresh mount st_size is ${size}, on disk ${disk.i_size}`);
    }
    if (disk !== undefined && blocks !== disk.st_blocks) {
      report("blocks", `after a fresh mount st_blocks is ${blocks}, on disk ${disk.st_blocks}`);
    }
    const map = reader.map(fd);
    if (typeof map === "number") report("map", `FIEMAP failed with errno ${-map}`);
    else if (disk !== undefined && !sameMap(map, disk.extents)) {
      report(
        "map",
        `FIEMAP after a fresh mount says ${describeMap(map)}; on disk are ${describeMap(disk.extents)}`,
      );
    }
    compareContents(fd, file, bytesPerBlock, report);
  } catch (error) {
    if (!isOfSystem(error)) throw error;
    report("contents", `cannot be read after a fresh mount: ${error.message}`);
  } finally {
    closeSync(fd);
  }
}
