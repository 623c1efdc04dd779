/**
 * The kernel under test as a Subject that uses nothing of ours but processes: dd, truncate,
 * fallocate, sync, filefrag, stat, cat. About 20 ms a step; it exists to cross-check
 * `kernel-subject.ts`, which shares no code with it.
 *
 * Programs cannot do everything, see `supports`, and some do more than asked, see `performed`.
 * Every program opens and closes the file, and dd cannot turn read-ahead off for the reads it does,
 * so folios in the page cache may differ.
 */
import { closeSync } from "node:fs";
import { join } from "node:path";
import { patternTag } from "../../model/include/pattern.ts";
import { UsageError } from "../case/failure.ts";
import type { Extent, Observation } from "../case/observation.ts";
import { byProcesses } from "../operations/by-processes.ts";
import { describeOperation, filesOf } from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";
import type { Subject } from "../lockstep/subject.ts";
import { parseFilefrag } from "../system/filefrag.ts";
import type { Executor } from "./executor.ts";
import type { MountedImage } from "./image.ts";
import type { KeptFile } from "./kernel-file.ts";
import { runSync } from "../system/process.ts";
import { errnoOf } from "../system/program-errno.ts";

/**
 * Blocks of the longest file: lblk is 32 bits and the last value is reserved (EXT_MAX_BLOCKS,
 * fs/ext4/ext4_extents.h).
 */
const EXT_MAX_BLOCKS = 2 ** 32 - 1;

export class DdSubject implements Subject {
  readonly name: string;
  readonly #image: MountedImage;
  readonly #scratch: string;
  /** Every look is at the whole file: filefrag knows no other. */
  wholeLooks = true;
  aroundCall: Executor["aroundCall"];
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

  /** Whether programs can do it. */
  supports(operation: Operation): boolean {
    return byProcesses(operation, this.#longest) !== undefined;
  }

  get #longest(): number {
    return EXT_MAX_BLOCKS * this.#image.variant.blockSize;
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
    const path = this.#path;
    const call = (): number => this.#apply(operation, path, patternTag(index));
    const result = this.aroundCall?.step === index ? this.aroundCall.around(call) : call();
    return this.#observe(path, result);
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

  #apply(operation: Operation, path: string, tag: number): number {
    const how = byProcesses(operation, this.#longest);
    if (how === undefined) throw new UsageError(`no program does ${describeOperation(operation)}`);
    const file = {
      path,
      scratch: this.#scratch,
      create: () => this.#create(path),
      read: (bytes: Uint8Array) => {
        this.#read = bytes;
      },
      alsoSynced: () => {
        this.#performed.push({ op: "fsync" });
      },
    };
    return how.perform(file, operation, tag);
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
