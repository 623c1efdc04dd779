/**
 * The kernel under test as a Subject that uses nothing of ours but processes: dd, truncate,
 * fallocate, sync, filefrag, stat, cat. About 20 ms a step; it exists to cross-check
 * `kernel-subject.ts`, which shares no code with it.
 *
 * Programs cannot do everything, see `supports`, and some do more than asked, see `performed`.
 * Every program opens and closes the file, and dd cannot turn read-ahead off for the reads it does,
 * so folios in the page cache may differ.
 */
import { closeSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pattern, patternOffset, patternTag } from "../../model/include/pattern.ts";
import { EnvironmentError, UsageError } from "../case/failure.ts";
import type { Extent, Observation } from "../case/observation.ts";
import { filesOf, isInjected, isPlainWrite } from "../operations/operation.ts";
import type { FallocateMode, Operation } from "../operations/operation.ts";
import type { Subject } from "../lockstep/subject.ts";
import { parseFilefrag } from "./filefrag.ts";
import type { MountedImage } from "./image.ts";
import type { KeptFile } from "./kernel-file.ts";
import { type ProcessResult, runSync } from "./process.ts";

const FALLOCATE_OPTIONS: Record<FallocateMode, readonly string[]> = {
  allocate: [],
  keep_size: ["--keep-size"],
  punch_hole: ["--punch-hole"],
  zero_range: ["--zero-range"],
  zero_range_keep_size: ["--zero-range", "--keep-size"],
  collapse_range: ["--collapse-range"],
  insert_range: ["--insert-range"],
};

/**
 * strerror(3) in the C locale, of the errors that ext4's write path returns (errno-base.h,
 * asm-generic/errno.h).
 */
const ERRNO: readonly (readonly [message: string, errno: number])[] = [
  ["Input/output error", 5],
  ["Text file busy", 26],
  ["Invalid argument", 22],
  ["File too large", 27],
  ["No space left on device", 28],
  ["Operation not supported", 95],
  ["Structure needs cleaning", 117],
];

/**
 * Blocks of the longest file: lblk is 32 bits and the last value is reserved (EXT_MAX_BLOCKS,
 * fs/ext4/ext4_extents.h).
 */
const EXT_MAX_BLOCKS = 2 ** 32 - 1;

function errnoOf(program: string, { exitCode, stderr }: ProcessResult): number {
  if (exitCode === 0) return 0;
  const known = ERRNO.find(([message]) => stderr.includes(message));
  if (known !== undefined) return -known[1];
  throw new EnvironmentError(
    "process-failed",
    `${program} failed: ${stderr.trim()}`,
    `Run ${program} by hand, or leave the cross-check with processes out.`,
  );
}

export class DdSubject implements Subject {
  readonly name: string;
  readonly #image: MountedImage;
  readonly #scratch: string;
  /** Every look is at the whole file: filefrag knows no other. */
  wholeLooks = true;
  #cases = 0;
  #path: string | undefined;
  /** Keeps the file in memory where it is older than the mount's options; else -1. */
  #olderFd = -1;
  #reservedBefore = 0;
  #read: Uint8Array | undefined;
  #performed: Operation[] = [];

  constructor(image: MountedImage) {
    this.name = `processes ${image.variant.name}`;
    this.#image = image;
    this.#scratch = join(image.directory, "dd-scratch");
  }

  /**
   * The operations that the last step amounted to: fallocate(1) also calls fsync(2) where
   * fallocate(2) succeeded.
   */
  get performed(): readonly Operation[] {
    return this.#performed;
  }

  /**
   * Whether programs can do it: no faulting buffers, no shared mappings, no fadvise, no direct I/O
   * (dd leaves O_DIRECT off where it likes), and dd refuses to seek past the longest file.
   */
  supports(operation: Operation): boolean {
    if (isInjected(operation)) return false;
    const longest = EXT_MAX_BLOCKS * this.#image.variant.blockSize;
    switch (operation.op) {
      case "pwrite":
        return (
          isPlainWrite(operation) &&
          operation.readable === operation.len &&
          operation.pos <= longest
        );
      case "pread":
        return operation.pos <= longest;
      case "fsync":
      case "ftruncate":
      case "fallocate":
      case "unlink":
        return true;
      case "mmap_write":
      case "direct_write":
      case "direct_read":
      case "sync_file_range":
      case "drop_cache":
      case "paused_write":
      case "power_cut":
      case "other_file":
        return false;
    }
  }

  begin(operations: readonly Operation[] = []): void {
    this.end();
    const files = filesOf(operations);
    if (!this.#image.hasFiles(files)) this.#image.remount(files);
    this.#path = join(this.#image.mountPoint, `dd-case-${this.#cases++}`);
    this.#reservedBefore = this.#reservedBlocks();
    this.#create(this.#path);
  }

  /** A new, empty file. 0, or -errno. */
  #create(path: string): number {
    this.#letGo();
    const older = this.#image.takeFile(path);
    if (older === undefined) return errnoOf("truncate", runSync("truncate", ["-s", "0", path]));
    if (older >= 0) this.#olderFd = older;
    return Math.min(older, 0);
  }

  #letGo(): void {
    if (this.#olderFd >= 0) closeSync(this.#olderFd);
    this.#olderFd = -1;
  }

  step(operation: Operation, index: number): Observation {
    if (this.#path === undefined) throw new UsageError("step before begin");
    this.#read = undefined;
    this.#performed = [operation];
    const result = this.#apply(operation, this.#path, patternTag(index));
    return this.#observe(this.#path, result);
  }

  end(): void {
    if (this.#path === undefined) return;
    this.#letGo();
    errnoOf("rm", runSync("rm", [this.#path]));
    this.#path = undefined;
  }

  /** End the case but leave its file for a checkpoint. */
  keep(): KeptFile {
    if (this.#path === undefined) throw new UsageError("keep before begin");
    const path = this.#path;
    this.#letGo();
    this.#path = undefined;
    return { path, ino: Number(runSync("stat", ["-c", "%i", path]).stdout) };
  }

  /** Nothing is open between two steps; ends the case. */
  release(): void {
    this.end();
  }

  #apply(o: Operation, path: string, tag: number): number {
    if (!this.supports(o)) throw new UsageError(`no program does ${JSON.stringify(o)}`);
    switch (o.op) {
      case "pwrite":
        return this.#write(path, o.pos, o.len, tag);
      case "pread":
        return this.#readBack(path, o.pos, o.len);
      case "fsync":
        return errnoOf("sync", runSync("sync", [path]));
      case "unlink": {
        const removed = errnoOf("rm", runSync("rm", [path]));
        return removed < 0 ? removed : this.#create(path);
      }
      case "ftruncate":
        return errnoOf("truncate", runSync("truncate", ["-s", String(o.size), path]));
      case "fallocate": {
        const range = ["-o", String(o.pos), "-l", String(o.len)];
        const args = [...FALLOCATE_OPTIONS[o.mode], ...range, path];
        const result = errnoOf("fallocate", runSync("fallocate", args));
        if (result === 0) this.#performed.push({ op: "fsync" });
        return result;
      }
      case "mmap_write":
      case "direct_write":
      case "direct_read":
      case "sync_file_range":
      case "drop_cache":
      case "paused_write":
      case "power_cut":
      case "other_file":
        throw new UsageError(`no program does ${o.op}`);
    }
  }

  /**
   * One read of the source, one write(2) of `len` bytes (more only where the first one came back
   * short).
   */
  #write(path: string, pos: number, len: number, tag: number): number {
    writeFileSync(this.#scratch, pattern(tag).subarray(patternOffset(len)));
    const to = [`of=${path}`, "oflag=seek_bytes", `seek=${pos}`, "conv=notrunc"];
    const from = [`if=${this.#scratch}`, `bs=${len}`, "count=1", "iflag=fullblock"];
    const result = runSync("dd", [...from, ...to]);
    const copied = Number(/^(\d+) bytes?\b.* copied/m.exec(result.stderr)?.[1] ?? 0);
    return copied > 0 ? copied : errnoOf("dd", result);
  }

  #readBack(path: string, pos: number, len: number): number {
    const from = [`if=${path}`, "iflag=skip_bytes,fullblock", `skip=${pos}`];
    const result = runSync("dd", [...from, `of=${this.#scratch}`, `bs=${len}`, "count=1"]);
    const error = errnoOf("dd", result);
    if (error < 0) return error;
    this.#read = new Uint8Array(readFileSync(this.#scratch));
    return this.#read.length;
  }

  #observe(path: string, result: number): Observation {
    const fromCache = runSync("filefrag", ["-E", path]);
    const cache = fromCache.exitCode === 0 ? parseFilefrag(fromCache.stdout).extents : undefined;
    const { extents, pieces } = parseFilefrag(runSync("filefrag", ["-e", path]).stdout);
    const [i_size = 0, st_blocks = 0] = runSync("stat", ["-c", "%s %b", path])
      .stdout.split(" ")
      .map(Number);
    const reserved = this.#reservedBlocks() - this.#reservedBefore;
    const map = extents as Extent[];
    return { result, i_size, st_blocks, map, pieces, reserved, cache, read: this.#read };
  }

  #reservedBlocks(): number {
    const file = join(this.#image.sysfs, "delayed_allocation_blocks");
    return Number(runSync("cat", [file]).stdout);
  }
}
