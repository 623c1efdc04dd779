/**
 * The kernel under test as a Subject: a fresh file per case on a kept mount, system calls in
 * process, and a look at everything an Observation holds after each one.
 *
 * The probes run in this order: statx; the page cache; the extent status cache before FIEMAP,
 * because FIEMAP fills it; the counter of blocks reserved for delayed allocation. None of them
 * changes what the others or the next operation see, but for that filling, which happens after
 * every operation and so is the same in every run.
 */
import { statfsSync } from "node:fs";
import { patternTag } from "../../model/include/pattern.ts";
import { EnvironmentError } from "../case/failure.ts";
import { sleepSync } from "../system/sleep.ts";
import { Windows } from "../lockstep/windows.ts";
import type {
  BlockRange,
  CacheExtent,
  CachedPages,
  CutLook,
  Extent,
  Observation,
  PausedLook,
} from "../case/observation.ts";
import type { KernelCall, KernelFiles } from "../aspects/on-kernel.ts";
import type { Performed } from "../aspects/performed.ts";
import { onKernel } from "../operations/on-kernel.ts";
import {
  clampOperation,
  effectsOf,
  failNthOf,
  fileOf,
  filesOf,
  hasTwoFiles,
  isStarved,
} from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";
import type { Subject } from "../lockstep/subject.ts";
import { WHOLE_FILE } from "../case/extents.ts";
import { failNth } from "../system/fail-nth.ts";
import { ExtentReader } from "../system/fiemap.ts";
import type { Executor } from "./executor.ts";
import type { MountedImage } from "./image.ts";
import { KernelFile } from "./kernel-file.ts";
import type { KeptFile } from "./kernel-file.ts";
import { failedLook } from "./look-failed.ts";
import { cachestat } from "../system/page-cache.ts";
import { commitsOf, cutCanBeFollowed, lookAfterCut } from "./power-cut.ts";
import * as sys from "../system/syscalls.ts";

export class KernelSubject implements Subject {
  readonly name: string;
  aroundCall: Executor["aroundCall"];
  patient = false;
  readonly #file: KernelFile;
  readonly #extents: ExtentReader;
  /** Of the case's files: where to look, and their sizes as they were seen last. */
  readonly #windows: readonly [Windows, Windows];
  #sizes: [number, number] = [0, 0];
  /** Which of them it is at. */
  #at: 0 | 1 = 0;
  /** Observations say how many transactions have committed. */
  #tellsCommits = false;
  #cacheIoctl = true;
  #cachestat = true;
  /** The machine was short of memory in this case: what is in the page cache is up to it. */
  #reclaimed = false;
  #reservedBefore = 0;
  readonly #image: MountedImage;
  readonly #files: KernelFiles<Operation>;
  #commitsBefore = 0;

  constructor(image: MountedImage) {
    this.name = `kernel ${image.variant.name}`;
    this.#image = image;
    this.#file = new KernelFile(image);
    this.#files = this.#asFiles();
    this.#extents = new ExtentReader(image.variant.blockSize);
    const { blockSize } = image.variant;
    this.#windows = [new Windows(blockSize), new Windows(blockSize)];
  }

  /**
   * Whether every look is at the whole file; else only at what an operation touched where a file
   * has many extents.
   */
  get wholeLooks(): boolean {
    return this.#windows[0].alwaysWhole;
  }

  set wholeLooks(whole: boolean) {
    for (const windows of this.#windows) windows.alwaysWhole = whole;
  }

  /**
   * System calls can do all of them, but for what takes something of the kernel: pausing one
   * userfaultfd, and failing its allocations fault injection. A power cut says nothing without a
   * journal.
   */
  supports(operation: Operation): boolean {
    const how = onKernel(operation);
    if ("perform" in how) return how.isPossible?.(cutCanBeFollowed(this.#image)) !== false;
    if (isStarved(operation) && this.#image.pool === undefined) return false;
    if (how.isPossible?.(operation, this.#file) === false) return false;
    return failNthOf(operation) === undefined || canFail(operation, how);
  }

  /** fs/ext4/super.c ext4_statfs() adds up what the per-CPU counters hold. */
  get freeBlocks(): number {
    return statfsSync(this.#image.mountPoint).bfree;
  }

  begin(operations: readonly Operation[] = []): void {
    const two = hasTwoFiles(operations);
    this.#file.begin(filesOf(operations));
    this.#tellsCommits = two && cutCanBeFollowed(this.#image);
    if (this.#tellsCommits || operations.some((one) => effectsOf(one).cutsPower))
      this.#commitsBefore = commitsOf(this.#image);
    this.#reservedBefore = this.#file.keptReservation;
    for (const windows of this.#windows) windows.begin();
    this.#sizes = [0, 0];
    this.#at = 0;
    this.#reclaimed = false;
  }

  step(operation: Operation, index: number, last = false): Observation {
    this.#at = fileOf(operation);
    this.#file.turnTo(this.#at);
    const before = this.#sizes[this.#at];
    const clamped = clampOperation(operation, before);
    const how = onKernel(operation);
    const call = (): Performed =>
      "perform" in how
        ? how.perform(this.#files, operation, index)
        : this.#call(operation, before, patternTag(index));
    const done = this.aroundCall?.step === index ? this.aroundCall.around(call) : call();
    const { result, read, during, cut } = done;
    if (result === -sys.EBADF) throw brokenHarness(`${operation.op} returned EBADF`);
    this.#file.stat(sys.STATX_SIZE | sys.STATX_BLOCKS);
    const i_size = (this.#sizes[this.#at] = this.#file.i_size);
    const windows = this.#windows[this.#at].after(clamped, before, i_size, last);
    const unwaited = effectsOf(operation).startsWriteback?.(operation) === true;
    const seen = this.#observe(result, read, windows, unwaited);
    if (this.#tellsCommits) seen.commits = commitsOf(this.#image) - this.#commitsBefore;
    return during === undefined && cut === undefined ? seen : { ...seen, during, cut };
  }

  /** The case's files, for operations that are more than one call. */
  #asFiles(): KernelFiles<Operation> {
    const file = this.#file;
    return {
      get fd() {
        return file.fd;
      },
      look: (result) => this.#look(result),
      call: (operation, i_size, tag) => this.#call(operation, i_size, tag),
      lookAfterCut: () => this.#lookAfterCut(),
      replace: () => file.again(),
    };
  }

  #lookAfterCut(): CutLook {
    const look = lookAfterCut(this.#image, this.#file.path);
    // Afterwards: what is committed while the image is copied may be in the copy.
    return { ...look, commits: commitsOf(this.#image) - this.#commitsBefore };
  }

  /** One call, on a file of `i_size` bytes. */
  #call(operation: Operation, i_size: number, tag: number): Performed {
    const clamped = clampOperation(operation, i_size);
    const result = clamped === undefined ? 0 : this.#file.call(clamped, tag);
    const reads = effectsOf(operation).result === "read" && result >= 0;
    return { result, read: reads ? this.#file.bytesRead(result) : undefined };
  }

  /** What can be seen while a writer holds the lock of the file. */
  #look(result: number): PausedLook {
    const file = this.#file;
    file.stat(sys.STATX_SIZE);
    return { result, i_size: file.i_size, reserved: file.reservedBlocks() - this.#reservedBefore };
  }

  end(): void {
    this.#file.end();
  }

  /** End the case but leave its file for a checkpoint. */
  keep(): KeptFile {
    return this.#file.keep();
  }

  /** Close every descriptor into the file system, so that it can be unmounted; ends the case. */
  release(): void {
    this.#file.release();
  }

  #observe(
    result: number,
    read: Uint8Array | undefined,
    windows: readonly BlockRange[] | undefined,
    unwaited: boolean,
  ): Observation {
    const file = this.#file;
    const ranges = windows ?? WHOLE_FILE;
    const pages = this.#pages(unwaited);
    const cache = this.#cacheIoctl ? this.#cache(ranges) : undefined;
    const map = this.#map(ranges);
    const pieces = this.#windows[this.#at].saw(this.#extents.pieces, windows === undefined);
    const reserved = file.reservedBlocks() - this.#reservedBefore;
    const { st_blocks } = file;
    const { breaks } = this.#extents;
    const blocks = { st_blocks, map, windows, pieces, breaks, reserved, pages, cache };
    return { result, i_size: this.#sizes[this.#at], ...blocks, read };
  }

  /** `unwaited`: what is on its way to the device has only begun to. */
  #pages(unwaited: boolean): CachedPages | undefined {
    if (!this.#cachestat) {
      this.#file.awaitWriteback();
      return undefined;
    }
    const { fd } = this.#file;
    const stat = unwaited ? settledAndGone(fd, this.patient ? PATIENT_MS : undefined) : settled(fd);
    if (typeof stat === "number") {
      // Before 6.5 there is no such call, and a container may hide it.
      if (stat !== -sys.ENOSYS && stat !== -sys.EPERM) {
        throw brokenHarness(`cachestat failed with errno ${-stat}`);
      }
      this.#cachestat = false;
      this.#file.awaitWriteback();
      return undefined;
    }
    const { cached, dirty, evicted } = stat;
    this.#reclaimed ||= evicted > 0;
    return this.#reclaimed ? undefined : { cached, dirty };
  }

  #map(ranges: readonly BlockRange[]): Extent[] {
    const map = this.#extents.map(this.#file.fd, ranges);
    if (typeof map === "number") throw failedLook("FS_IOC_FIEMAP", map);
    return map;
  }

  #cache(ranges: readonly BlockRange[]): CacheExtent[] | undefined {
    const cache = this.#extents.cache(this.#file.fd, ranges);
    if (typeof cache !== "number") return cache;
    if (cache !== -sys.ENOTTY) {
      throw failedLook("EXT4_IOC_GET_ES_CACHE", cache);
    }
    this.#cacheIoctl = false;
    return undefined;
  }
}

/**
 * Milliseconds between two looks at pages that are being written, and after which their device is
 * taken to hang.
 */
const WRITEBACK_LOOK_MS = 0.2;
const WRITEBACK_MS = 30_000;

/**
 * Milliseconds between two looks at pages that are about to leave memory, where the first ones said
 * that they stay: seen once on a machine with more to do than processors (6.18.44), where the
 * thread that takes them away does not run at once.
 */
const PATIENT_MS = 20;

/**
 * The pages of an open file once none of them is on its way to the device. All operations wait for
 * what they write; but where space is short a kernel begins to write by itself (fs/ext4/inode.c
 * ext4_nonda_switch()) and only what comes last marks blocks written.
 */
function settled(fd: number): ReturnType<typeof cachestat> {
  for (let waited = 0; ; waited += WRITEBACK_LOOK_MS) {
    const stat = cachestat(fd);
    if (typeof stat === "number" || stat.writeback === 0 || waited >= WRITEBACK_MS) return stat;
    sleepSync(WRITEBACK_LOOK_MS);
  }
}

/**
 * The same once they have left memory that were to go when they were written: mm/filemap.c
 * folio_end_writeback() takes them away after it has said that they are.
 */
function settledAndGone(fd: number, lookMs = WRITEBACK_LOOK_MS): ReturnType<typeof cachestat> {
  for (let before = settled(fd); ;) {
    sleepSync(lookMs);
    const stat = settled(fd);
    if (typeof before === "number" || typeof stat === "number") return stat;
    if (stat.cached === before.cached) return stat;
    before = stat;
  }
}

/** Whether an allocation of it can be made to fail, so that all that comes of it can be seen. */
function canFail(operation: Operation, { staysInPage }: KernelCall<Operation>): boolean {
  const fails = failNth();
  if (fails === undefined) return false;
  return fails.smallFolios || staysInPage?.(operation) !== false;
}

function brokenHarness(message: string): EnvironmentError {
  return new EnvironmentError(
    "process-failed",
    message,
    "No other process may touch the tool's files; look at the kernel log (dmesg) for an error of the file system.",
  );
}
